//! The subcommands, one per measurement.

use clap::Subcommand;

use super::call::Call;
use super::compile::Compile;
use super::delivery::Delivery;
use super::instructions::Instructions;
use super::layer::Layer;
use super::server::Server;
use super::spool::Spool;
use super::stall::Stall;
use super::{call, compile, delivery, instructions, layer, server, spool, stall};
use crate::error::Error;

#[derive(Debug, Subcommand)]
pub(crate) enum Bench {
    /// The latency of audited requests while the audit service answers, and while it never does
    Stall(Stall),
    /// The compile time of the attribute, beside plain functions and `#[tracing::instrument]`
    Compile(Compile),
    /// The cost of pages and of an export for the local server with a million events
    Server(Server),
    /// The cost of the attribute for a call, and the size of the future
    Call(Call),
    /// The cost of the layer, the attribute and the recorder for a request, beside the framework's
    /// own request logging
    Layer(Layer),
    /// The cost of a durable event, beside a bare write and sync of the same bytes, and the start
    /// with a large backlog
    Spool(Spool),
    /// The cost of recording and delivering an event, beside its peers, with the goals
    Delivery(Delivery),
    /// The processor instructions of an event and of a request; fails if they differ from the
    /// numbers that were checked in
    Instructions(Instructions),
}

/// Runs one measurement and prints its figures.
pub(crate) fn run(bench: &Bench) -> Result<(), Error> {
    match bench {
        Bench::Stall(options) => stall::run(options),
        Bench::Compile(options) => compile::run(options),
        Bench::Server(options) => server::run(options),
        Bench::Call(options) => call::run(options),
        Bench::Layer(options) => layer::run(options),
        Bench::Spool(options) => spool::run(options),
        Bench::Delivery(options) => delivery::run(options),
        Bench::Instructions(options) => instructions::run(options),
    }
}

//! What can be measured, and the step from the program that cargo runs to a release build of it.

use std::num::NonZeroU32;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::compile::Compile;
use super::delivery::Delivery;
use super::instructions::Instructions;
use crate::error::Error;
use crate::process::{cargo, run as run_to_end};

#[derive(Debug, Subcommand)]
pub(crate) enum Bench {
    /// What a request costs while the audit service answers, and while it takes connections and
    /// never answers
    Stall(Stall),
    /// What the attribute costs the compiler, beside the functions plain and under
    /// `#[tracing::instrument]`
    Compile(Compile),
    /// What pages and an export cost the local server when it holds a million events
    Server(Server),
    /// What the attribute costs a call, and the size of the future
    Call(Call),
    /// What the layer, the attribute and the recorder add to a request, beside the framework's own
    /// request logging
    Layer(Layer),
    /// What a durable event costs, beside a bare write and sync of the same bytes, and the start
    /// with a large backlog
    Spool(Spool),
    /// What recording and delivering an event costs, beside its peers, with the goals
    Delivery(Delivery),
    /// How many instructions an event and a request take; fails if that is no longer what was
    /// checked in
    Instructions(Instructions),
}

#[derive(Debug, Args)]
pub(crate) struct Spool {
    /// How many events the backlog has
    #[arg(long, default_value = "1000000")]
    pub(crate) backlog: NonZeroU32,
    /// Where the files are made; the disk is what is measured
    #[arg(long, default_value = ".")]
    pub(crate) folder: PathBuf,
    /// Measure in this process, whatever it was built as
    #[arg(long, hide = true)]
    here: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Call {
    /// Measure in this process, whatever it was built as
    #[arg(long, hide = true)]
    here: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Layer {
    /// Measure in this process, whatever it was built as
    #[arg(long, hide = true)]
    here: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Server {
    /// How many events there are
    #[arg(long, default_value = "1000000")]
    pub(crate) events: NonZeroU32,
    /// Requests for each kind of page
    #[arg(long, default_value = "300")]
    pub(crate) requests: NonZeroU32,
    /// Measure in this process, whatever it was built as
    #[arg(long, hide = true)]
    here: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Stall {
    /// How many events the recorder holds
    #[arg(long, default_value = "512")]
    pub(crate) capacity: NonZeroU32,
    /// Requests to each of the two, in multiples of the capacity
    #[arg(long, default_value = "10")]
    pub(crate) rounds: NonZeroU32,
    /// How many clients send requests at once, each over a connection of its own
    #[arg(long, default_value = "4")]
    pub(crate) clients: NonZeroU32,
    /// Measure in this process, whatever it was built as
    #[arg(long, hide = true)]
    pub(crate) here: bool,
}

pub(crate) fn run(bench: &Bench) -> Result<(), Error> {
    match bench {
        Bench::Compile(compile) => super::compile::run(compile),
        Bench::Delivery(delivery) => super::delivery::run(delivery),
        Bench::Instructions(wanted) => super::instructions::run(wanted),
        Bench::Stall(stall) if stall.here => here(|| measure_stall(stall)),
        Bench::Call(Call { here: true }) => here(measure_call),
        Bench::Layer(Layer { here: true }) => here(measure_layer),
        Bench::Server(server) if server.here => here(|| measure_server(server)),
        Bench::Spool(spool) if spool.here => here(|| measure_spool(spool)),
        Bench::Spool(spool) => in_release(&[
            "spool",
            &format!("--backlog={}", spool.backlog),
            &format!("--folder={}", spool.folder.display()),
        ]),
        Bench::Server(server) => in_release(&[
            "server",
            &format!("--events={}", server.events),
            &format!("--requests={}", server.requests),
        ]),
        Bench::Stall(stall) => in_release(&[
            "stall",
            &format!("--capacity={}", stall.capacity),
            &format!("--rounds={}", stall.rounds),
            &format!("--clients={}", stall.clients),
        ]),
        Bench::Call(_) => in_release(&["call"]),
        Bench::Layer(_) => in_release(&["layer"]),
    }
}

/// Runs a measurement in a release build of this program.
fn in_release(arguments: &[&str]) -> Result<(), Error> {
    let mut command = cargo();
    command.args([
        "run",
        "--release",
        "--package",
        "xtask",
        "--features",
        "bench",
        "--",
        "bench",
    ]);
    command.args(arguments).arg("--here");
    // What is measured lives on this machine, and no proxy leads to it.
    command.env("NO_PROXY", "127.0.0.1");
    run_to_end(&mut command)
}

fn here(measure: impl FnOnce() -> Result<(), Error>) -> Result<(), Error> {
    if cfg!(debug_assertions) {
        eprintln!(
            "warning: this is a debug build; without --here the figures are those of a release build"
        );
    }
    measure()
}

#[cfg(feature = "bench")]
fn measure_stall(stall: &Stall) -> Result<(), Error> {
    super::stall::run(stall)
}

#[cfg(feature = "bench")]
fn measure_call() -> Result<(), Error> {
    super::call::run()
}

#[cfg(feature = "bench")]
fn measure_layer() -> Result<(), Error> {
    super::layer::run()
}

#[cfg(not(feature = "bench"))]
fn measure_stall(_: &Stall) -> Result<(), Error> {
    without_the_feature()
}

#[cfg(feature = "bench")]
fn measure_server(server: &Server) -> Result<(), Error> {
    super::server::run(server.events.get(), server.requests.get())
}

#[cfg(feature = "bench")]
fn measure_spool(spool: &Spool) -> Result<(), Error> {
    super::spool::run(&spool.folder, spool.backlog.get())
}

#[cfg(not(feature = "bench"))]
fn measure_spool(_: &Spool) -> Result<(), Error> {
    without_the_feature()
}

#[cfg(not(feature = "bench"))]
fn measure_server(_: &Server) -> Result<(), Error> {
    without_the_feature()
}

#[cfg(not(feature = "bench"))]
fn measure_call() -> Result<(), Error> {
    without_the_feature()
}

#[cfg(not(feature = "bench"))]
fn measure_layer() -> Result<(), Error> {
    without_the_feature()
}

#[cfg(not(feature = "bench"))]
fn without_the_feature() -> Result<(), Error> {
    Err(Error::Finding(
        "built without the feature `bench`; leave --here out".to_owned(),
    ))
}

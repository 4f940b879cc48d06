//! Measures recording and delivery beside their peers, and prints figures and goals.

use std::collections::HashMap;
use std::process::Command;
use std::time::Duration;

use audit_benches::figures::{Bound, Goal, Ratio, Series, Table};
use audit_benches::record::{Pause, burst, live, sparse};
use audit_benches::{Result, deliver, request};
use clap::{Parser, ValueEnum};

#[derive(Debug, Parser)]
struct Cli {
    /// Measure only these; all unless named
    #[arg(value_enum)]
    only: Vec<Part>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// The cost of an event for its caller
    Record,
    /// The cost of the layer, the attribute and the recorder for a request
    Request,
    /// The processor time and the rate of delivery
    Deliver,
}

fn main() -> Result<()> {
    let cli = Cli::parse();
    let wanted = |part| cli.only.is_empty() || cli.only.contains(&part);
    if wanted(Part::Record) {
        record()?;
    }
    if wanted(Part::Request) {
        request()?;
    }
    if wanted(Part::Deliver) {
        delivery()?;
    }
    Ok(())
}

const TRY_SEND: &str = "tokio mpsc try_send, pre-built";
const TELEMETRY: &str = "OpenTelemetry emit, batch processor";
const JSON: &str = "tracing, JSON, non-blocking writer";

const fn at_most(beside: &'static str, most: f64) -> Goal {
    let bound = Bound::AtMost(most);
    Goal { beside, bound }
}

fn record() -> Result<()> {
    let mut series = burst()?;
    note_allocations(&mut series)?;
    let table = Table {
        title: "(a) one event, with id and clock, while the consumer is idle",
        unit: "ns",
        notes: "allocations",
        ratio: Ratio::OfRounds,
        goals: &[at_most(TRY_SEND, 8.0)],
        tail: false,
    };
    table.print(&series);
    Table {
        title: "(a) one event while the consumer is busy with others",
        notes: "",
        goals: &[at_most(TELEMETRY, 0.15), at_most(JSON, 0.1)],
        ..table.clone()
    }
    .print(&live()?);
    for (title, milliseconds, caller_sleeps) in [
        (
            "(a) one event every 2 ms: the consumer sleeps in between",
            2,
            false,
        ),
        (
            "(a) one event every 20 ms: the consumer sleeps in between",
            20,
            false,
        ),
        (
            "(a) one event every 20 ms: the consumer and the caller sleep in between",
            20,
            true,
        ),
        (
            "(a) one event after a silence of 1.2 s of both",
            1_200,
            true,
        ),
    ] {
        let series = sparse(Pause {
            before_each: Duration::from_millis(milliseconds),
            caller_sleeps,
            in_a_row: if milliseconds < 1_000 { 10 } else { 1 },
            rounds: (400 / milliseconds as usize).clamp(9, 60),
        })?;
        // After a second of silence our consumer sleeps deeply and has to be woken, as the others'.
        let goals: &[_] = if milliseconds < 1_000 {
            &[at_most(TRY_SEND, 0.1)]
        } else {
            &[]
        };
        Table {
            title,
            notes: "",
            ratio: Ratio::OfMedians,
            goals,
            tail: true,
            ..table.clone()
        }
        .print(&series);
    }
    Ok(())
}

/// Runs the program that counts allocations, and adds its counts to the series.
fn note_allocations(series: &mut [Series]) -> Result<()> {
    let beside = std::env::current_exe()?.with_file_name("allocations");
    let output = Command::new(&beside)
        .output()
        .map_err(|error| format!("start {}: {error}", beside.display()))?;
    let text = String::from_utf8(output.stdout)?;
    let counts: HashMap<_, _> = text.lines().filter_map(|l| l.split_once('\t')).collect();
    for series in series {
        let count = counts.get(series.label);
        series.note = count
            .ok_or_else(|| format!("no count of allocations for `{}`", series.label))?
            .to_string();
    }
    Ok(())
}

fn request() -> Result<()> {
    let stacks = request::rounds()?;
    let named = |label: &str| {
        let series = stacks.iter().find(|series| series.label == label);
        series.ok_or_else(|| format!("`{label}` was not measured"))
    };
    let plain = named(request::NO_LAYER)?;
    let mut added = Vec::new();
    for label in [
        request::AUDITED,
        request::NO_EVENT,
        request::PASS_THROUGH,
        request::TRACE,
        request::TRACE_JSON,
    ] {
        let series = named(label)?;
        let note = format!("{:.0}", series.median());
        added.push(Series {
            note,
            ..series.less(plain)
        });
    }
    Table {
        title: &format!(
            "(b) what is added to a request through axum, which takes {:.0} ns without a layer",
            plain.median()
        ),
        unit: "ns added",
        notes: "request, ns",
        ratio: Ratio::OfMedians,
        goals: &[at_most(request::TRACE, 1.0)],
        tail: false,
    }
    .print(&added);
    Ok(())
}

fn delivery() -> Result<()> {
    let delivered = deliver::rounds()?;
    let table = Table {
        title: "(c) an event delivered to a server on this machine: processor of the sender",
        unit: "us",
        notes: "",
        ratio: Ratio::OfRounds,
        goals: &[at_most(deliver::SDK, 0.75), at_most(deliver::HYPER, 1.8)],
        tail: false,
    };
    table.print(&delivered.processor);
    Table {
        title: "(c) events delivered in a second",
        unit: "per s",
        goals: &[Goal {
            beside: deliver::SEQUENTIAL,
            bound: Bound::AtLeast(3.5),
        }],
        ..table
    }
    .print(&delivered.rate);
    Ok(())
}

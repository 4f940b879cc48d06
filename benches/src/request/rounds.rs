//! Measures the stacks in turns.

use std::io;
use std::time::{Duration, Instant};

use audit_tower::Recorder;
use tracing::Level;
use tracing_appender::non_blocking::{NonBlocking, NonBlockingBuilder};

use super::stack::{Stack, requests, stacks};
use crate::Result;
use crate::counting_sink::CountingSink;
use crate::figures::Series;

/// Requests in a batch. Few, so that a batch is shorter than the time slice that a busy machine
/// leaves to a thread: a longer one is interrupted more often than a shorter, and would seem slower
/// than it is.
const REQUESTS: usize = 100;
const ROUNDS: usize = 501;

/// Returns the nanoseconds per request of each stack.
///
/// # Errors
///
/// The number of events differs from that of the requests that leave one.
pub fn rounds() -> Result<Vec<Series>> {
    let sink = CountingSink::default();
    let consumed = sink.consumed.clone();
    let recorder = Recorder::builder(sink).build()?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let (lines, _worker) = NonBlockingBuilder::default().finish(io::sink());
    let mut stacks = stacks(&recorder);
    let mut series: Vec<_> = stacks
        .iter()
        .map(|stack| Series::new(stack.label))
        .collect();
    // The first round warms up and is not counted.
    for round in 0..=ROUNDS {
        for turn in 0..stacks.len() {
            // Forth and back, each time from another, so that none always runs after the same one.
            let turn = [turn, stacks.len() - 1 - turn][round % 2];
            let index = (round + turn) % stacks.len();
            let took = batch(&runtime, &mut stacks[index], &lines);
            recorder.flush_blocking(Duration::from_secs(10));
            if round > 0 {
                let each = took.as_secs_f64() * 1e9 / REQUESTS as f64;
                series[index].values.push(each);
            }
        }
    }
    recorder.shutdown_blocking(Duration::from_secs(10));
    let audited = stacks.iter().filter(|stack| stack.audited).count();
    let (expected, consumed) = ((audited * (ROUNDS + 1) * REQUESTS) as u64, consumed.get());
    if consumed != expected {
        return Err(format!("{expected} requests had to leave an event, and {consumed} did").into());
    }
    Ok(series)
}

fn batch(runtime: &tokio::runtime::Runtime, stack: &mut Stack, lines: &NonBlocking) -> Duration {
    let requests = requests(REQUESTS);
    let serve = |stack: &mut Stack| {
        let started = Instant::now();
        runtime.block_on(stack.serve(requests));
        started.elapsed()
    };
    if !stack.json {
        return serve(stack);
    }
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_max_level(Level::DEBUG);
    let subscriber = subscriber.with_writer(lines.clone()).finish();
    let took = tracing::subscriber::with_default(subscriber, || serve(stack));
    // Otherwise the spans of the other stacks would still look for the subscriber.
    tracing::callsite::rebuild_interest_cache();
    took
}

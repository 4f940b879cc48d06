//! Compares stacks of layers, per framework.
//!
//! All stacks of a framework are measured in one run, in turns, in this process and without a
//! socket: a socket costs many times what is measured, and varies by more.

use std::time::Duration;

use audit_tower::Recorder;

use super::stack::Stack;
use super::{on_actix, on_axum};
use crate::bench::null_sink::NullSink;
use crate::error::Error;

/// Requests in a batch; batches of the stacks take turns. Few, so that a batch is shorter than the
/// time slice that a busy machine leaves to a thread: a longer one is interrupted more often than a
/// shorter, and would seem slower than it is.
const REQUESTS: u32 = 100;
const ROUNDS: usize = 501;
/// Large enough that no batch fills the queue.
const CAPACITY: usize = 4 * REQUESTS as usize;

/// A framework whose integration is measured.
#[derive(Clone, Copy, Debug)]
enum Framework {
    Axum,
    Actix,
}

impl Framework {
    const ALL: [Self; 2] = [Self::Axum, Self::Actix];

    fn name(self) -> &'static str {
        match self {
            Self::Axum => "axum",
            Self::Actix => "actix-web",
        }
    }

    /// Returns the stacks: one without a layer, one with the framework's request logging and no
    /// subscriber, then ours.
    async fn stacks(self, recorder: &Recorder) -> Vec<Stack> {
        match self {
            Self::Axum => on_axum::stacks(recorder),
            Self::Actix => on_actix::stacks(recorder).await,
        }
    }
}

pub(super) fn measure() -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|source| Error::Start {
            command: "a runtime".to_owned(),
            source,
        })?;
    Framework::ALL
        .into_iter()
        .try_for_each(|framework| runtime.block_on(compare(framework)))
}

async fn compare(framework: Framework) -> Result<(), Error> {
    let recorder = Recorder::builder(NullSink)
        .capacity(CAPACITY)
        .fallback_organization("org_1")
        .build()
        .map_err(|error| Error::Finding(error.to_string()))?;
    let stacks = framework.stacks(&recorder).await;
    let mut times = vec![Vec::with_capacity(ROUNDS); stacks.len()];
    // The first round warms up and is not counted.
    for round in 0..=ROUNDS {
        for turn in 0..stacks.len() {
            // Forth and back, each time from another, so that none always runs after the same one.
            let turn = [turn, stacks.len() - 1 - turn][round % 2];
            let index = (round + turn) % stacks.len();
            let took = (stacks[index].batch)(REQUESTS).await;
            recorder.flush(Duration::from_secs(10)).await;
            if round > 0 {
                times[index].push(took.as_secs_f64() * 1e9 / f64::from(REQUESTS));
            }
        }
    }
    print(framework, &stacks, &times);
    let audited = stacks.iter().filter(|stack| stack.audited).count();
    let expected = (audited * (ROUNDS + 1)) as u64 * u64::from(REQUESTS);
    recorder.shutdown(Duration::from_secs(10)).await;
    let stats = recorder.stats();
    println!(
        "\nevents: {expected} made, {} delivered, {} refused",
        stats.delivered, stats.refused
    );
    if stats.delivered == expected {
        Ok(())
    } else {
        let message = format!("{expected} events were made, and the recorder counted {stats:?}");
        Err(Error::Finding(message))
    }
}

fn print(framework: Framework, stacks: &[Stack], times: &[Vec<f64>]) {
    println!(
        "{}: one request in process, median of {ROUNDS} batches of {REQUESTS} (quartiles); the last two columns are of \
         batches of the same round\n",
        framework.name()
    );
    println!(
        "{:39} {:>21} {:>7} {:>22} {:>20}",
        "", "ns", "added", "times plain", "added, of logging's"
    );
    let plain = &times[0];
    let [_, logging, _] = quartiles(&pairs(&times[1], plain, |this, plain| this - plain));
    for (stack, times) in stacks.iter().zip(times) {
        let [low, median, high] = quartiles(times);
        let [_, added, _] = quartiles(&pairs(times, plain, |this, plain| this - plain));
        let [least, ratio, most] = quartiles(&pairs(times, plain, |this, plain| this / plain));
        println!(
            "{:39} {median:>6.0} ({low:>5.0}–{high:>5.0}) {added:>+7.0} {ratio:>8.2} ({least:.2}–{most:.2}) {:>20.2}",
            stack.label,
            added / logging,
        );
    }
}

/// Combines the values of the same round.
fn pairs(these: &[f64], those: &[f64], of: impl Fn(f64, f64) -> f64) -> Vec<f64> {
    let pairs = these.iter().zip(those);
    pairs.map(|(this, that)| of(*this, *that)).collect()
}

/// Returns the quartiles of at least one value.
fn quartiles(values: &[f64]) -> [f64; 3] {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    [1, 2, 3].map(|quarter| sorted[(sorted.len() - 1) * quarter / 4])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles_are_of_the_sorted_values() {
        let [low, median, high] = quartiles(&[5.0, 1.0, 4.0, 2.0, 3.0]);
        assert!(low < 2.5 && low > 1.5, "{low}");
        assert!(median < 3.5 && median > 2.5, "{median}");
        assert!(high < 4.5 && high > 3.5, "{high}");
    }
}

//! What the layer, the attribute and the recorder add to a request, beside the framework's own
//! request logging.
//!
//! All stacks of a framework are measured in one run, in turns, in this process and without a
//! socket: a socket costs many times what is measured, and varies by more.

mod on_actix;
mod on_axum;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::time::Duration;

use audit_tower::{Delivery, Event, Recorder, Sink};

use crate::error::Error;

/// Requests in a batch; batches of the stacks take turns. Few, so that a batch is shorter than the
/// time slice that a busy machine leaves to a thread: a longer one is interrupted more often than a
/// shorter, and would seem slower than it is.
const REQUESTS: u32 = 100;
const ROUNDS: usize = 501;
/// So that the queue never fills in a batch.
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

    /// What is compared: first nothing, then the framework's request logging with nobody listening,
    /// then ours.
    async fn stacks(self, recorder: &Recorder) -> Vec<Stack> {
        match self {
            Self::Axum => on_axum::stacks(recorder),
            Self::Actix => on_actix::stacks(recorder).await,
        }
    }
}

/// A service in some layers.
struct Stack {
    label: &'static str,
    /// Whether each request leaves an event.
    audited: bool,
    /// Answers this many requests, and says how long that took.
    batch: Box<dyn Fn(u32) -> Measured>,
}

type Measured = Pin<Box<dyn Future<Output = Duration>>>;

/// The headers that our layers read.
const HEADERS: [(&str, &str); 3] = [
    ("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0)"),
    ("x-request-id", "01HX7Q6Z3F9WJ6V0D2M5T8K4RB"),
    (
        "traceparent",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    ),
];
const PEER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(203, 0, 113, 7)), 4711);

/// Takes everything and keeps nothing; the recorder counts.
struct Nowhere;

impl Sink for Nowhere {
    async fn deliver(&self, _: &Event) -> Delivery {
        Ok(())
    }
}

pub(super) fn run() -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|source| Error::Start {
            command: "a runtime".to_owned(),
            source,
        })?;
    Framework::ALL
        .into_iter()
        .try_for_each(|framework| runtime.block_on(measure(framework)))
}

async fn measure(framework: Framework) -> Result<(), Error> {
    let recorder = Recorder::builder(Nowhere)
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
        let message = format!("{expected} events were made, and the recorder says {stats:?}");
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

/// What is made of the batches of the same round.
fn pairs(these: &[f64], those: &[f64], of: impl Fn(f64, f64) -> f64) -> Vec<f64> {
    let pairs = these.iter().zip(those);
    pairs.map(|(this, that)| of(*this, *that)).collect()
}

/// The quarter, the half and three quarters of the values, of which there is at least one.
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

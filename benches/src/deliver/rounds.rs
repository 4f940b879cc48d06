//! Measures the senders in turns.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

use super::senders::{Hyper, IN_FLIGHT, Official, Ours, Reqwest, Sender};
use super::server::Server;
use crate::Result;
use crate::figures::Series;

pub const OURS: &str = "recorder, 32 in flight";
pub const SEQUENTIAL: &str = "official SDK, one after the other";
pub const SDK: &str = "official SDK, 32 in flight";
pub const REQWEST: &str = "reqwest, body made before, 32 in flight";
pub const HYPER: &str = "bare hyper, body made before, 32 in flight";

const ROUNDS: usize = 7;
/// Events in a round.
const EVENTS: usize = 4_000;
/// Fewer, since events that are sent one after the other take far longer.
const EVENTS_IN_SEQUENCE: usize = 1_000;

/// Returns the processor time of this process so far.
fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    let nanos = u32::try_from(time.tv_nsec).unwrap_or_default();
    Duration::new(seconds, nanos)
}

/// The figures of each sender.
#[derive(Debug)]
pub struct Delivered {
    /// Microseconds of processor time per event.
    pub processor: Vec<Series>,
    /// Events per second.
    pub rate: Vec<Series>,
}

/// Runs all senders in turn, round after round.
///
/// # Errors
///
/// The server does not start, or an event is not delivered.
pub fn rounds() -> Result<Delivered> {
    let server = Server::start()?;
    let url = server.url();
    let mut senders: Vec<(&str, usize, Box<dyn Sender>)> = vec![
        (OURS, EVENTS, Box::new(Ours::new(url)?)),
        (
            SEQUENTIAL,
            EVENTS_IN_SEQUENCE,
            Box::new(Official::new(url, 1)?),
        ),
        (SDK, EVENTS, Box::new(Official::new(url, IN_FLIGHT)?)),
        (REQWEST, EVENTS, Box::new(Reqwest::new(url)?)),
        (HYPER, EVENTS, Box::new(Hyper::new(url)?)),
    ];
    let labels = [OURS, SEQUENTIAL, SDK, REQWEST, HYPER];
    let mut processor = labels.map(Series::new).to_vec();
    let mut rate = processor.clone();
    for round in 0..=ROUNDS {
        for (index, (_, events, sender)) in senders.iter_mut().enumerate() {
            let (used_before, begun) = (processor_time(), Instant::now());
            sender.send(*events)?;
            let (used, took) = (processor_time() - used_before, begun.elapsed());
            // The first round opens the connections.
            if round > 0 {
                processor[index]
                    .values
                    .push(used.as_secs_f64() * 1e6 / *events as f64);
                rate[index].values.push(*events as f64 / took.as_secs_f64());
            }
        }
    }
    Ok(Delivered { processor, rate })
}

//! What the delivery of an event costs the process that sends it, to a server on this machine.

mod senders;

use std::io::BufRead as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

use crate::Result;
use crate::figures::Series;
use senders::{Hyper, Official, Ours, Reqwest, Sender};

pub const OURS: &str = "recorder, 32 in flight";
pub const SEQUENTIAL: &str = "official SDK, one after the other";
pub const SDK: &str = "official SDK, 32 in flight";
pub const REQWEST: &str = "reqwest, body made before, 32 in flight";
pub const HYPER: &str = "bare hyper, body made before, 32 in flight";

/// How many are in flight.
pub(crate) const IN_FLIGHT: usize = 32;
const ROUNDS: usize = 7;
/// Events in a round; those that are sent one after the other take far longer, and are fewer.
const EVENTS: usize = 4_000;
const EVENTS_IN_SEQUENCE: usize = 1_000;

/// The server, which ends with this.
struct Server {
    child: Child,
    url: String,
}

impl Server {
    fn start() -> Result<Self> {
        let beside = std::env::current_exe()?.with_file_name("server");
        let mut child = Command::new(&beside)
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("start {}: {error}", beside.display()))?;
        let mut url = String::new();
        if let Some(out) = child.stdout.take() {
            std::io::BufReader::new(out).read_line(&mut url)?;
        }
        let url = url.trim().to_owned();
        Ok(Self { child, url })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The time that this process has used on processors.
fn used() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    let nanos = u32::try_from(time.tv_nsec).unwrap_or_default();
    Duration::new(seconds, nanos)
}

/// Microseconds of processor per event, and events per second.
#[derive(Debug)]
pub struct Delivered {
    pub processor: Vec<Series>,
    pub rate: Vec<Series>,
}

/// All senders in turn, round after round.
///
/// # Errors
///
/// The server does not start, or an event is not delivered.
pub fn rounds() -> Result<Delivered> {
    let server = Server::start()?;
    let url = server.url.as_str();
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
            let (used_before, begun) = (used(), Instant::now());
            sender.send(*events)?;
            let (used, took) = (used() - used_before, begun.elapsed());
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

//! An outage of the audit service during traffic: its effect on latency, and the number of lost
//! events.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::json;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::Result;
use crate::client::Client;
use crate::environment::Environment;
use crate::print::print_phases;

/// Interval between two requests.
const INTERVAL: Duration = Duration::from_millis(25);
/// Duration of the traffic before the outage, and after it.
pub(crate) const HEALTHY: Duration = Duration::from_secs(5);
/// Timeout of a delivery attempt. The default of 30 seconds would be long for a demo.
pub(crate) const ATTEMPT: Duration = Duration::from_secs(3);
/// Deadline for the delivery of all events. It is rate limited, and the circuit breaker probes the
/// service only from time to time.
pub(crate) const CATCH_UP: Duration = Duration::from_secs(120);

/// The requests of one phase of the traffic.
#[derive(Debug)]
pub(crate) struct Phase {
    pub(crate) name: &'static str,
    /// The latency of each request, sorted.
    latencies: Vec<Duration>,
    /// Number of undelivered events at the end.
    pub(crate) pending: u64,
}

impl Phase {
    pub(crate) fn requests(&self) -> usize {
        self.latencies.len()
    }

    pub(crate) fn percentile(&self, percent: usize) -> Duration {
        let rank = (self.latencies.len() * percent).div_ceil(100).max(1) - 1;
        self.latencies.get(rank).copied().unwrap_or_default()
    }
}

/// Sends requests before, during and after an outage. Returns `true` if all events have arrived.
pub(crate) async fn drive(environment: &Environment, outage: Duration) -> Result<bool> {
    let ada = environment.client()?.quiet().sign_in("ada").await?;
    let mut phases = Vec::new();
    let with_pending = |mut phase: Phase| {
        let stats = environment.stats();
        phase.pending = stats.pending + stats.spooled;
        phase
    };
    phases.push(with_pending(phase(&ada, "before", HEALTHY).await?));
    environment.stop_responding();
    phases.push(with_pending(phase(&ada, "outage", outage).await?));
    environment.respond_again();
    phases.push(with_pending(phase(&ada, "after", HEALTHY).await?));
    let started = Instant::now();
    let report = environment.flush_within(CATCH_UP).await;
    print_phases(&phases);

    let accepted = environment.stats().accepted;
    let stored = environment.stored()?.len() as u64;
    anstream::println!(
        "\nAll events arrived {:.1} s after the end of the traffic. Accepted {accepted} events, and the server has {stored}.",
        started.elapsed().as_secs_f64()
    );
    Ok(report.pending == 0 && stored == accepted)
}

/// Sends requests one after the other, for this duration.
pub(crate) async fn phase(
    client: &Client,
    name: &'static str,
    duration: Duration,
) -> Result<Phase> {
    let end = Instant::now() + duration;
    let mut ticks = interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut latencies = Vec::new();
    while Instant::now() < end {
        ticks.tick().await;
        let document = json!({ "title": "Plan", "pages": 1 });
        let started = Instant::now();
        client
            .send(
                Method::POST,
                "/documents",
                Some(document),
                StatusCode::CREATED,
            )
            .await?;
        latencies.push(started.elapsed());
    }
    latencies.sort_unstable();
    Ok(Phase {
        name,
        latencies,
        pending: 0,
    })
}

//! An outage of the audit service in the middle of traffic: what the handlers notice of it, and
//! what is lost.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::json;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::Result;
use crate::client::Client;
use crate::print::phases;
use crate::world::World;

/// A request every so often, one after the other.
const EVERY: Duration = Duration::from_millis(25);
/// How long the traffic goes on before the outage, and after it.
pub(crate) const HEALTHY: Duration = Duration::from_secs(5);
/// How long an attempt to deliver may take: half a minute for each that gets no answer would be
/// long for a demo.
pub(crate) const ATTEMPT: Duration = Duration::from_secs(3);
/// How long delivery may take to catch up. It is paced, and asks a service that was down only from
/// time to time.
pub(crate) const CATCH_UP: Duration = Duration::from_secs(120);

/// The requests of one stretch of time.
#[derive(Debug)]
pub(crate) struct Phase {
    pub(crate) name: &'static str,
    /// How long each took, shortest first.
    latencies: Vec<Duration>,
    /// How many events were waiting at the end.
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

/// Sends requests before, during and after an outage of this length; whether every event arrived.
pub(crate) async fn drive(world: &World, outage: Duration) -> Result<bool> {
    let ada = world.client()?.quiet().sign_in("ada").await?;
    let mut run = Vec::new();
    let waiting = |mut phase: Phase| {
        let stats = world.stats();
        phase.pending = stats.pending + stats.spooled;
        phase
    };
    run.push(waiting(phase(&ada, "before", HEALTHY).await?));
    world.stop_answering();
    run.push(waiting(phase(&ada, "outage", outage).await?));
    world.answer_again();
    run.push(waiting(phase(&ada, "after", HEALTHY).await?));
    let begun = Instant::now();
    let rest = world.flush_within(CATCH_UP).await;
    phases(&run);

    let accepted = world.stats().accepted;
    let stored = world.stored()?.len() as u64;
    anstream::println!(
        "\nAll caught up {:.1} s after the traffic ended. Accepted {accepted} events, and the server has {stored}.",
        begun.elapsed().as_secs_f64()
    );
    Ok(rest.pending == 0 && stored == accepted)
}

/// Sends requests one after the other for so long.
pub(crate) async fn phase(client: &Client, name: &'static str, length: Duration) -> Result<Phase> {
    let end = Instant::now() + length;
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut latencies = Vec::new();
    while Instant::now() < end {
        ticks.tick().await;
        let document = json!({ "title": "Plan", "pages": 1 });
        let begun = Instant::now();
        client
            .send(
                Method::POST,
                "/documents",
                Some(document),
                StatusCode::CREATED,
            )
            .await?;
        latencies.push(begun.elapsed());
    }
    latencies.sort_unstable();
    Ok(Phase {
        name,
        latencies,
        pending: 0,
    })
}

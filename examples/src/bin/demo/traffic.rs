//! Steady traffic of requests to the documents service.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::json;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::client::Client;
use crate::common::Result;
use crate::phase::Phase;

/// Interval between two requests.
const INTERVAL: Duration = Duration::from_millis(25);
/// Duration of the traffic before the outage, and after it.
pub(crate) const HEALTHY: Duration = Duration::from_secs(5);
/// Deadline for the delivery of all events. It is rate limited, and the circuit breaker probes the
/// service only from time to time.
pub(crate) const CATCH_UP: Duration = Duration::from_secs(120);

/// Sends requests one after the other, for this duration.
pub(crate) async fn run_phase(
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

//! A flood of equal failures, of an action that the catalog allows to coalesce.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use audit_tower::testing::{FaultSink, assert_balanced};
use audit_tower::{Actor, Context, Event, Outcome, RateLimit, Recorder, Target, catalog};
use tokio::time::Instant;

use super::support::{HOUR, MINUTE, SECOND, start};

const FLOODED: &str = "org_flooded";
/// The number of source addresses, each with its own coalescing window. The events at the end of a
/// window take ten seconds at the rate limit.
const ADDRESSES: u64 = 900;
const FAILURES_PER_SECOND: u64 = 1_000;
const STEP: Duration = Duration::from_millis(100);
const QUIET_ORGANIZATIONS: u64 = 10;
/// Steps between two events of one quiet organization.
const QUIET_EVERY: u64 = 100;

fn sign_in(organization: &str, address: u64, outcome: Outcome) -> Event {
    let event = Event::builder("session.create")
        .organization(organization)
        .actor(Actor::anonymous())
        .target(Target::new("user", "u1"))
        .context(Context::new().location(format!("2001:db8::{address:x}")))
        .outcome(outcome);
    event.build().unwrap()
}

/// The delivered events of the flooded organization.
#[derive(Debug, Default)]
struct Arrived {
    events: u64,
    /// The sum of the failures they represent.
    failures: u64,
}

/// Runs a load in which each quiet organization records an event every ten seconds, with or without
/// the flood. Returns the greatest latency of a quiet event, from recording to delivery.
async fn greatest_latency(time: Duration, is_flooded: bool) -> Duration {
    let arrived = Arc::new(Mutex::new(Arrived::default()));
    let counted = Arc::clone(&arrived);
    let sink = FaultSink::discarding().respond_with(move |event, _| {
        if event.organization() == Some(FLOODED) {
            let count = event.metadata_value("count");
            let count = count.map_or(1, |count| count.to_string().parse().unwrap());
            let mut counted = counted.lock().unwrap();
            counted.events += 1;
            counted.failures += count;
        }
        Ok(())
    });
    let sink = sink
        .with_rate_limit(RateLimit::per_second(90.0))
        .latency(SECOND / 20);
    let recorder = start(Recorder::builder(sink.clone()).catalog(catalog!()));

    let steps = time.as_millis() / STEP.as_millis();
    let per_step = FAILURES_PER_SECOND / (SECOND.as_millis() / STEP.as_millis()) as u64;
    let (mut recorded, mut failures) = (HashMap::new(), 0);
    let mut quiet = 0;
    let flood: Vec<_> = (0..ADDRESSES)
        .map(|address| sign_in(FLOODED, address, Outcome::Failed))
        .collect();
    for step in 0..steps as u64 {
        if is_flooded {
            for _ in 0..per_step {
                let event = flood[(failures % ADDRESSES) as usize].clone();
                recorder.record(event).unwrap();
                failures += 1;
            }
        }
        if step % (QUIET_EVERY / QUIET_ORGANIZATIONS) == 0 {
            let organization = format!("org_{}", quiet % QUIET_ORGANIZATIONS);
            // Another address each time, so that no two are coalesced.
            let event = sign_in(&organization, quiet, Outcome::Succeeded);
            recorded.insert(event.id(), sink.elapsed());
            recorder.record(event).unwrap();
            quiet += 1;
        }
        tokio::time::sleep(STEP).await;
    }
    let begun = Instant::now();
    let report = recorder.flush(MINUTE).await;
    assert!(report.is_complete(), "{report:?}");
    // A flush sends held events at the rate limit and does not wait for their windows.
    assert!(begun.elapsed() < MINUTE / 4, "{:?}", begun.elapsed());

    assert_balanced(&recorder);
    let stats = recorder.stats();
    let arrived = arrived.lock().unwrap();
    assert_eq!(
        (stats.accepted, stats.refused, stats.dead, stats.lost),
        (quiet + failures, 0, 0, 0)
    );
    assert_eq!(arrived.failures, failures, "the counts add up");
    assert_eq!(stats.coalesced, failures - arrived.events);
    // Per address and window: the first event, and one replacement at the end.
    let most = 2 * ADDRESSES * (time.as_secs() / MINUTE.as_secs() + 1);
    assert!(arrived.events <= most, "{} > {most}", arrived.events);

    let waited = sink.attempts().into_iter().filter_map(|attempt| {
        let recorded = recorded.remove(&attempt.event_id())?;
        // The attempt's time is its start.
        Some(attempt.at() + SECOND / 20 - recorded)
    });
    let slowest = waited.max().unwrap();
    assert!(recorded.is_empty(), "every quiet event arrived");
    slowest
}

#[tokio::test(start_paused = true)]
async fn coalesced_flood_at_most_doubles_the_latency_of_quiet_organizations() {
    let alone = greatest_latency(5 * MINUTE, false).await;
    let flooded = greatest_latency(HOUR, true).await;
    assert!(
        flooded <= 2 * alone,
        "{flooded:?} in a flood, {alone:?} alone"
    );
}

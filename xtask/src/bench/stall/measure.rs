//! Compares the latency of requests with a healthy and with a stalled audit service.
//!
//! Two audited services run in one process. The audit service of the one accepts every event; that
//! of the other accepts connections and never responds. Clients send requests over real sockets, to
//! both in turn, so that other load on the machine affects both. Times are not asserted, but every
//! request must be answered, and every event accounted for.

use std::io;
use std::time::Duration;

use super::load::Load;
use super::servers;
use super::side::{Ledger, Side};
use crate::bench::latency::ratio;
use crate::error::Error;

/// The deadline of the shutdown. The healthy side needs less; the stalled side always reaches it.
const SHUTDOWN: Duration = Duration::from_secs(2);

pub(super) fn measure(load: &Load) -> Result<(), Error> {
    measure_until(load, SHUTDOWN)
}

fn measure_until(load: &Load, shutdown: Duration) -> Result<(), Error> {
    let failed = |error: io::Error| Error::Finding(format!("start the measurement: {error}"));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(failed)?;
    runtime.block_on(async {
        let healthy = servers::healthy().await.map_err(failed)?;
        tokio::spawn(healthy.serve);
        let stalled = servers::stalled().await.map_err(failed)?;
        tokio::spawn(stalled.serve);
        let healthy = Side::start("healthy", healthy.address, load).await?;
        let stalled = Side::start("stalled", stalled.address, load).await?;
        compare(healthy, stalled, load, shutdown).await
    })
}

async fn compare(
    mut healthy: Side,
    mut stalled: Side,
    load: &Load,
    shutdown: Duration,
) -> Result<(), Error> {
    for round in 0..load.rounds.get() {
        // The order alternates, so that neither side always runs on the caches of the other.
        let (first, second) = if round % 2 == 0 {
            (&mut healthy, &mut stalled)
        } else {
            (&mut stalled, &mut healthy)
        };
        first.round(load.capacity.get()).await;
        second.round(load.capacity.get()).await;
    }
    let ledgers = [healthy.end(shutdown).await, stalled.end(shutdown).await];
    let sides = [&healthy, &stalled];
    println!("{}", report(sides, &ledgers, load));

    let problems = problems(sides, &ledgers);
    if problems.is_empty() {
        return Ok(());
    }
    Err(Error::Finding(problems.join("; ")))
}

fn report(sides: [&Side; 2], ledgers: &[Ledger; 2], load: &Load) -> String {
    let mut text = format!(
        "{} clients, a queue of {} events, {} rounds of {} requests to each side, in turn\n",
        load.clients, load.capacity, load.rounds, load.capacity
    );
    text += &format!(
        "\n{:<14} {:>10} {:>10} {:>10} {:>10} {:>10}",
        "audit service", "p50", "p99", "max", "requests", "answered"
    );
    for side in sides {
        text += &format!(
            "\n{:<14} {} {:>10} {:>10}",
            side.name, side.latencies, side.made, side.answered
        );
    }
    let [healthy, stalled] = sides.map(|side| &side.latencies);
    let ratio = |percent| ratio(stalled.percentile(percent), healthy.percentile(percent));
    text += &format!(
        "\n{:<14} {:>10.2} {:>10.2}\n",
        "ratio",
        ratio(50),
        ratio(99)
    );

    text += &format!("\n{:<14}", "events");
    for column in [
        "made",
        "accepted",
        "refused",
        "delivered",
        "pending",
        "retried",
        "lost",
    ] {
        text += &format!(" {column:>10}");
    }
    for (
        side,
        Ledger {
            made,
            stats,
            report,
            ..
        },
    ) in sides.iter().zip(ledgers)
    {
        text += &format!("\n{:<14}", side.name);
        for count in [
            *made,
            stats.accepted,
            stats.refused,
            stats.delivered,
            stats.pending,
            stats.retried,
            report.lost,
        ] {
            text += &format!(" {count:>10}");
        }
    }
    text + "\n(as of the last response; `lost` are the events still pending at the shutdown's deadline)"
}

/// Returns a sentence for each request or event that is not accounted for.
fn problems(sides: [&Side; 2], ledgers: &[Ledger; 2]) -> Vec<String> {
    let mut problems = Vec::new();
    for (side, ledger) in sides.into_iter().zip(ledgers) {
        let name = side.name;
        if side.answered != side.made {
            let blocked = side.made.saturating_sub(side.answered);
            problems.push(format!(
                "{name}: {blocked} of {} requests were blocked or failed",
                side.made
            ));
        }
        problems.extend(
            ledger
                .gaps()
                .into_iter()
                .map(|gap| format!("{name}: {gap}")),
        );
    }
    problems
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;

    #[test]
    fn small_measurement_finds_no_blocked_request_and_no_missing_event() {
        let few = |count| NonZeroU32::new(count).unwrap();
        let load = Load {
            capacity: few(8),
            rounds: few(4),
            clients: few(3),
        };
        measure_until(&load, Duration::from_millis(100)).unwrap();
    }
}

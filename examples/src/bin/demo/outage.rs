//! An outage of the audit service during traffic: its effect on latency, and the number of lost
//! events.

use std::time::Duration;

use tokio::time::Instant;

use crate::common::Result;
use crate::environment::Environment;
use crate::phase::Phase;
use crate::print::print_phases;
use crate::traffic::{CATCH_UP, HEALTHY, run_phase};

/// Sends requests before, during and after an outage. Returns `true` if all events have arrived.
pub(crate) async fn drive(environment: &Environment, outage: Duration) -> Result<bool> {
    let ada = environment.client()?.quiet().sign_in("ada").await?;
    let mut phases = Vec::new();
    let with_pending = |mut phase: Phase| {
        let stats = environment.stats();
        phase.pending = stats.pending + stats.spooled;
        phase
    };
    phases.push(with_pending(run_phase(&ada, "before", HEALTHY).await?));
    environment.stop_responding();
    phases.push(with_pending(run_phase(&ada, "outage", outage).await?));
    environment.respond_again();
    phases.push(with_pending(run_phase(&ada, "after", HEALTHY).await?));
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

//! The invariant of a recorder's counters.

use crate::recorder::Recorder;

/// Asserts that every event of a recorder is in exactly one place.
///
/// The events that came in (accepted, recovered from the spool, generated) equal the events that
/// are delivered, coalesced, pending, spooled, dead or lost. It holds at any moment, also while
/// events are on their way; see [`Stats`](crate::Stats).
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use audit_core::testing::{self, FaultSink};
/// use audit_core::{Event, Recorder};
/// use std::time::Duration;
///
/// let recorder = Recorder::builder(FaultSink::discarding().reject_times(1)).build()?;
/// for _ in 0..3 {
///     recorder.record(Event::builder("document.delete").build()?)?;
/// }
/// testing::assert_balanced(&recorder);
/// recorder.shutdown(Duration::from_secs(5)).await;
/// testing::assert_balanced(&recorder);
/// # Ok(()) }
/// ```
///
/// # Panics
///
/// When the two sums differ. The message has all counters.
#[track_caller]
pub fn assert_balanced(recorder: &Recorder) {
    let stats = recorder.stats();
    assert_eq!(
        stats.accepted + stats.recovered + stats.generated,
        stats.delivered + stats.coalesced + stats.pending + stats.spooled + stats.dead + stats.lost,
        "{stats:?}"
    );
}

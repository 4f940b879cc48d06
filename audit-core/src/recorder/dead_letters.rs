//! Dead letters in memory: listing, redriving and purging them.

use std::collections::HashSet;

use super::recorder::Recorder;
use crate::delivery::DeadLetter;
use crate::event::EventId;

/// The result of [`Recorder::redrive`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Redriven {
    /// Dead letters that are pending again.
    pub sent: u64,
    /// Dead letters for which the queue had no room, or that met a recorder that was shut down;
    /// they are kept.
    pub kept: u64,
}

impl Recorder {
    /// Returns the dead letters that are kept in memory, oldest first: the last 1,000, of at most
    /// 16 MiB.
    ///
    /// With a spool they are on disk: see `Spool::dead_letters` and `Recorder::redrive_spooled`.
    #[must_use]
    pub fn dead_letters(&self) -> Vec<DeadLetter> {
        self.handle.pipeline.dead_letters.list()
    }

    /// Sends the selected dead letters again, for example after a missing schema was registered.
    ///
    /// They keep their ids, and so their idempotency keys. Only dead letters in memory are
    /// considered, as in [`Recorder::dead_letters`].
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use audit_core::{Event, MemorySink, Recorder};
    /// # use std::time::Duration;
    /// # let patience = Duration::from_secs(5);
    /// let sink = MemorySink::with_limit(0);                     // refuses everything
    /// let recorder = Recorder::builder(sink).build()?;
    /// recorder.record(Event::builder("document.delete").build()?)?;
    /// recorder.flush(patience).await;
    /// assert_eq!(recorder.dead_letters().len(), 1);
    ///
    /// let again = recorder.redrive(|letter| letter.event().action() == "document.delete");
    /// assert_eq!((again.sent, again.kept), (1, 0));
    /// # Ok(()) }
    /// ```
    pub fn redrive(&self, select: impl FnMut(&DeadLetter) -> bool) -> Redriven {
        let pipeline = &*self.handle.pipeline;
        let mut redriven = Redriven::default();
        for letter in self.take_selected(select) {
            let fault = letter.fault().clone();
            match pipeline.queue.push(letter.into_event()) {
                Ok(()) => {
                    pipeline.counters.dead.subtract(1);
                    redriven.sent += 1;
                }
                Err((event, _)) => {
                    pipeline.dead_letters.keep(DeadLetter::new(event, fault));
                    redriven.kept += 1;
                }
            }
        }
        redriven
    }

    /// Removes the selected dead letters and returns them.
    ///
    /// They stay counted in [`Stats::dead`](crate::Stats::dead).
    pub fn purge_dead_letters(&self, select: impl FnMut(&DeadLetter) -> bool) -> Vec<DeadLetter> {
        self.take_selected(select)
    }

    /// Takes the selected dead letters. `select` is user code, so no lock is held while it runs.
    fn take_selected(&self, mut select: impl FnMut(&DeadLetter) -> bool) -> Vec<DeadLetter> {
        let letters = self.handle.pipeline.dead_letters.list();
        let ids: HashSet<EventId> = letters
            .iter()
            .filter(|letter| select(letter))
            .map(DeadLetter::id)
            .collect();
        self.handle.pipeline.dead_letters.take(&ids)
    }
}

//! What an operator does with dead letters.

use std::collections::HashSet;

use super::recorder::Recorder;
use crate::delivery::DeadLetter;
use crate::event::EventId;

/// What became of dead letters that were to be sent again, see [`Recorder::redrive`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Redriven {
    /// They are pending again.
    pub sent: u64,
    /// The queue had no room for them, or the recorder was shut down; they are still dead letters.
    pub kept: u64,
}

impl Recorder {
    /// The events that were refused for good and are kept in memory, oldest first: the last 1,000,
    /// of at most 16 MiB. With a spool they are on disk: see `Spool::dead_letters` and
    /// `Recorder::redrive_spooled`.
    #[must_use]
    pub fn dead_letters(&self) -> Vec<DeadLetter> {
        self.handle.shared.dead_letters.list()
    }

    /// Sends dead letters again, those for which `select` says so: after the schema was registered,
    /// say, for whose want they were refused. They keep their ids, and so their idempotency keys.
    /// Of those that are kept in memory, as in [`Recorder::dead_letters`].
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
        let shared = &*self.handle.shared;
        let mut redriven = Redriven::default();
        for letter in self.take_letters(select) {
            let fault = letter.fault().clone();
            match shared.queue.push(letter.into_event()) {
                Ok(()) => {
                    shared.counters.dead.take_back(1);
                    redriven.sent += 1;
                }
                Err((event, _)) => {
                    shared.dead_letters.keep(DeadLetter::new(event, fault));
                    redriven.kept += 1;
                }
            }
        }
        redriven
    }

    /// Forgets dead letters, those for which `select` says so, and hands them out. They stay in
    /// [`Stats::dead`](crate::Stats::dead).
    pub fn purge_dead_letters(&self, select: impl FnMut(&DeadLetter) -> bool) -> Vec<DeadLetter> {
        self.take_letters(select)
    }

    /// `select` is foreign code, so no lock is held while it runs.
    fn take_letters(&self, mut select: impl FnMut(&DeadLetter) -> bool) -> Vec<DeadLetter> {
        let letters = self.handle.shared.dead_letters.list();
        let ids: HashSet<EventId> = letters
            .iter()
            .filter(|letter| select(letter))
            .map(DeadLetter::id)
            .collect();
        self.handle.shared.dead_letters.take(&ids)
    }
}

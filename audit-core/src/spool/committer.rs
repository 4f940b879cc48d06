//! The thread that owns the file.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::inbox::Inbox;
use super::open::Opener;
use super::status::SharedStatus;
use super::store::Store;
use super::writer::Writer;
use crate::event::Event;

/// The parts of the committer thread before it starts.
pub(super) struct Committer {
    pub(super) inbox: Arc<Inbox>,
    pub(super) status: Arc<SharedStatus>,
    pub(super) opener: Opener,
    pub(super) store: Store,
    pub(super) max_dead_bytes: u64,
    /// Receives the events that could not be written, once the file is closed and unlocked.
    pub(super) closed: oneshot::Sender<Vec<Event>>,
}

/// Closes the inbox when the thread ends, also by a panic.
struct CloseOnDrop(Arc<Inbox>);

impl Drop for CloseOnDrop {
    fn drop(&mut self) {
        drop(self.0.close_and_drain());
    }
}

impl Committer {
    pub(super) fn start(self) -> std::io::Result<()> {
        std::thread::Builder::new()
            .name("audit-spool".to_owned())
            .spawn(move || self.run())
            .map(drop)
    }

    fn run(self) {
        let Self {
            inbox,
            status,
            opener,
            store,
            max_dead_bytes,
            closed,
        } = self;
        let close_on_drop = CloseOnDrop(Arc::clone(&inbox));
        let mut writer = Writer::new(Arc::clone(&inbox), status, opener, store, max_dead_bytes);
        loop {
            let batch = inbox.next_batch(writer.max_wait(), writer.is_paused());
            let (is_last, is_closing) = (batch.is_last, batch.is_closing);
            writer.process(batch);
            // A disk that accepts nothing must not keep the process from ending.
            if is_last || (is_closing && !writer.is_working()) {
                break;
            }
        }
        let finished = inbox.finished();
        let mut unwritten = inbox.close_and_drain();
        drop(close_on_drop);
        // The file is closed first, then unlocked, then reported as closed.
        unwritten.extend(writer.close(&finished));
        // The receiver may be gone.
        drop(closed.send(unwritten));
    }
}

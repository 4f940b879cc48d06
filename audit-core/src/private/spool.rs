//! The spool without a recorder, for benchmarks.

use crate::event::Event;
use crate::spool::{Guarantee, Spool, SpoolError};

/// Writes an event durably, and returns once it is on disk.
pub async fn append(spool: &Spool, event: &Event) -> Result<(), SpoolError> {
    spool.append(event, Guarantee::Durable)?.await.map(drop)
}

/// Queues an event to be written soon.
pub fn enqueue(spool: &Spool, event: &Event) -> Result<(), SpoolError> {
    spool.enqueue(event)
}

/// Returns the bytes that the spool writes for an event.
pub fn packed(event: &Event) -> Vec<u8> {
    event.to_packed()
}

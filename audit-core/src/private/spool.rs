//! The spool without a recorder around it, for measurements.

use crate::event::Event;
use crate::spool::{Guarantee, Spool, SpoolError};

/// Writes an event durably; returns when it is on the disk.
pub async fn append(spool: &Spool, event: &Event) -> Result<(), SpoolError> {
    spool.append(event, Guarantee::Durable)?.await.map(drop)
}

/// Takes an event to be written soon.
pub fn enqueue(spool: &Spool, event: &Event) -> Result<(), SpoolError> {
    spool.enqueue(event)
}

/// What is written of an event.
pub fn packed(event: &Event) -> Vec<u8> {
    event.to_packed()
}

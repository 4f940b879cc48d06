//! A sink that counts events and discards them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use audit_tower::{Delivery, Event, Sink};

/// The number of events that a consumer has taken; clones share it.
#[derive(Clone, Debug, Default)]
pub struct ConsumedCount(Arc<AtomicU64>);

impl ConsumedCount {
    pub fn add(&self, events: u64) {
        self.0.fetch_add(events, Ordering::Relaxed);
    }

    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Discards each event and counts it.
#[derive(Clone, Debug, Default)]
pub struct CountingSink {
    pub consumed: ConsumedCount,
}

impl Sink for CountingSink {
    async fn deliver(&self, _: &Event) -> Delivery {
        self.consumed.add(1);
        Ok(())
    }
}

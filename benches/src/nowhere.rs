//! A sink that takes everything and keeps nothing but the number.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use audit_tower::{Delivery, Event, Sink};

/// How many events a consumer has taken. Clones share one count.
#[derive(Clone, Debug, Default)]
pub struct Taken(Arc<AtomicU64>);

impl Taken {
    pub fn add(&self, events: u64) {
        self.0.fetch_add(events, Ordering::Relaxed);
    }

    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

#[derive(Clone, Debug, Default)]
pub struct Nowhere {
    pub taken: Taken,
}

impl Sink for Nowhere {
    async fn deliver(&self, _: &Event) -> Delivery {
        self.taken.add(1);
        Ok(())
    }
}

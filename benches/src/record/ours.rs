//! Ours: built, with its id and time, and recorded.

use std::time::Duration;

use audit_tower::Recorder;

use super::contender::{CAPACITY, Contender, wait_for};
use crate::Result;
use crate::facts::Facts;
use crate::nowhere::{Nowhere, Taken};

pub(super) struct Record {
    facts: Facts,
    recorder: Recorder,
    taken: Taken,
    emitted: u64,
}

impl Record {
    pub(super) fn new(facts: Facts) -> Result<Self> {
        let sink = Nowhere::default();
        let taken = sink.taken.clone();
        let recorder = Recorder::builder(sink).capacity(CAPACITY).build()?;
        Ok(Self {
            facts,
            recorder,
            taken,
            emitted: 0,
        })
    }
}

impl Contender for Record {
    fn label(&self) -> &'static str {
        "record"
    }

    /// The dispatcher rests by itself: it looks every few milliseconds, and a batch is shorter.
    fn begin(&mut self, _: u64) -> Result<()> {
        Ok(())
    }

    fn emit(&mut self, events: u64) {
        for id in 0..events {
            // What was refused will be missing in the end.
            if let Ok(event) = self.facts.event(id) {
                let _refused = self.recorder.record(event);
            }
        }
        self.emitted += events;
    }

    fn finish(&mut self) -> Result<()> {
        self.recorder.flush_blocking(Duration::from_secs(10));
        wait_for(&self.taken, self.emitted, self.label())
    }

    fn taken(&self) -> &Taken {
        &self.taken
    }
}

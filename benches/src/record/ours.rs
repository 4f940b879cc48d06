//! Our recorder: an event is built, with its id and time, and recorded.

use std::time::Duration;

use audit_tower::Recorder;

use super::contender::{CAPACITY, Contender, wait_for};
use crate::Result;
use crate::counting_sink::{ConsumedCount, CountingSink};
use crate::event_data::EventData;

pub(super) struct Record {
    data: EventData,
    recorder: Recorder,
    consumed: ConsumedCount,
    emitted: u64,
}

impl Record {
    pub(super) fn new(data: EventData) -> Result<Self> {
        let sink = CountingSink::default();
        let consumed = sink.consumed.clone();
        let recorder = Recorder::builder(sink).capacity(CAPACITY).build()?;
        Ok(Self {
            data,
            recorder,
            consumed,
            emitted: 0,
        })
    }
}

impl Contender for Record {
    fn label(&self) -> &'static str {
        "record"
    }

    /// Does nothing: the dispatcher polls every few milliseconds, and a batch is shorter than that.
    fn begin(&mut self, _: u64) -> Result<()> {
        Ok(())
    }

    fn emit(&mut self, events: u64) {
        for id in 0..events {
            // `finish` misses an event that was refused here.
            if let Ok(event) = self.data.event(id) {
                let _refused = self.recorder.record(event);
            }
        }
        self.emitted += events;
    }

    fn finish(&mut self) -> Result<()> {
        self.recorder.flush_blocking(Duration::from_secs(10));
        wait_for(&self.consumed, self.emitted, self.label())
    }

    fn consumed(&self) -> &ConsumedCount {
        &self.consumed
    }
}

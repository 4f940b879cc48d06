//! tokio's channel with boxed events made in advance: the least cost of any queue between threads.

use std::thread;

use audit_tower::Event;
use tokio::sync::mpsc::{self, Receiver, Sender};

use super::contender::{CAPACITY, Consumer, Contender, wait_for};
use crate::Result;
use crate::counting_sink::ConsumedCount;
use crate::event_data::EventData;

/// A channel, and its consumer: a thread of its own, or none until [`Channel::finish`].
pub(super) struct Channel<T> {
    sender: Sender<T>,
    idle: Option<Receiver<T>>,
    pub(super) consumed: ConsumedCount,
    emitted: u64,
}

impl<T: Send + 'static> Channel<T> {
    pub(super) fn new(consumer: Consumer) -> Result<Self> {
        let (sender, mut receiver) = mpsc::channel(CAPACITY);
        let consumed = ConsumedCount::default();
        let idle = match consumer {
            Consumer::Idle => Some(receiver),
            Consumer::Live => {
                let runtime = tokio::runtime::Builder::new_current_thread().build()?;
                let consumed = consumed.clone();
                // It ends when the sender is dropped.
                thread::Builder::new().spawn(move || {
                    runtime.block_on(async {
                        while let Some(event) = receiver.recv().await {
                            drop(event);
                            consumed.add(1);
                        }
                    });
                })?;
                None
            }
        };
        Ok(Self {
            sender,
            idle,
            consumed,
            emitted: 0,
        })
    }

    #[inline]
    pub(super) fn send(&mut self, event: T) {
        // `finish` misses an event that was refused here.
        let _refused = self.sender.try_send(event);
        self.emitted += 1;
    }

    pub(super) fn finish(&mut self, label: &str) -> Result<()> {
        if let Some(receiver) = &mut self.idle {
            while let Ok(event) = receiver.try_recv() {
                drop(event);
                self.consumed.add(1);
            }
        }
        wait_for(&self.consumed, self.emitted, label)
    }
}

pub(super) struct PreBuilt {
    event: Event,
    #[expect(
        clippy::vec_box,
        reason = "the box is what is sent, and is made beforehand"
    )]
    ready: Vec<Box<Event>>,
    channel: Channel<Box<Event>>,
}

impl PreBuilt {
    pub(super) fn new(data: &EventData, consumer: Consumer) -> Result<Self> {
        Ok(Self {
            event: data.event(0)?,
            ready: Vec::new(),
            channel: Channel::new(consumer)?,
        })
    }
}

impl Contender for PreBuilt {
    fn label(&self) -> &'static str {
        "tokio mpsc try_send, pre-built"
    }

    fn begin(&mut self, events: u64) -> Result<()> {
        self.ready
            .extend((0..events).map(|_| Box::new(self.event.clone())));
        Ok(())
    }

    fn emit(&mut self, events: u64) {
        for _ in 0..events {
            if let Some(event) = self.ready.pop() {
                self.channel.send(event);
            }
        }
    }

    fn finish(&mut self) -> Result<()> {
        self.channel.finish(self.label())
    }

    fn consumed(&self) -> &ConsumedCount {
        &self.channel.consumed
    }
}

//! Tests of the recorder's calls while the sink, the hook, the disk or the dispatcher is blocked.
//!
//! A block is released only after the call under test has returned, so a call that waits for it
//! never ends, and fails by the time limit of the test runner.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod deadlines;
#[cfg(feature = "spool")]
mod durable;

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::event::Event;
use crate::recorder::Recorder;
use crate::sink::{Delivery, Sink};

/// The deadline of a call that is expected to pass it.
const MOMENT: Duration = Duration::from_millis(50);
/// The deadline of a call that is expected to return before it.
const HOUR: Duration = Duration::from_secs(3_600);

fn event() -> Event {
    let event = Event::builder("document.delete").organization("org_1");
    event.build().unwrap()
}

fn record(recorder: &Recorder, count: usize) {
    for _ in 0..count {
        recorder.record(event()).unwrap();
    }
}

/// Blocks the thread that passes it, until the other side is dropped.
struct Gate {
    reached: Sender<()>,
    released: Mutex<Receiver<()>>,
}

/// The test's side of a gate.
struct Gatekeeper {
    reached: Receiver<()>,
    release: Sender<()>,
}

fn gate() -> (Gate, Gatekeeper) {
    let (reached, has_reached) = channel();
    let (release, released) = channel();
    let gate = Gate {
        reached,
        released: Mutex::new(released),
    };
    let keeper = Gatekeeper {
        reached: has_reached,
        release,
    };
    (gate, keeper)
}

impl Gate {
    fn pass(&self) {
        // The test may have ended its wait for this.
        let _ = self.reached.send(());
        let released = self.released.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = released.recv();
    }
}

impl Gatekeeper {
    /// Waits until a thread is blocked.
    fn wait_until_reached(&self) {
        self.reached.recv().unwrap();
    }

    fn release(self) {
        drop(self.release);
    }
}

/// A sink whose attempts block the dispatcher's thread, as writing to a pipe without a reader does.
struct BlockingSink(Gate);

impl BlockingSink {
    fn new() -> (Self, Gatekeeper) {
        let (gate, keeper) = gate();
        (Self(gate), keeper)
    }
}

impl Sink for BlockingSink {
    async fn deliver(&self, _: &Event) -> Delivery {
        self.0.pass();
        Ok(())
    }
}

//! A sink that fails as it is told.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::event::Event;
use crate::sink::{Delivery, Fault, Sink};

/// Stands before a sink and fails as it is told, for tests of what a service does when its audit
/// log is slow or away.
///
/// The faults come in the order they are written, one for each attempt; then attempts go through.
/// Clones share all of it, so a test keeps one and gives the other to the recorder.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use audit_core::testing::FaultSink;
/// use audit_core::{Actor, Event, MemorySink, Recorder};
/// use std::time::Duration;
///
/// let sink = FaultSink::new(MemorySink::new()).reject_times(1);
/// let recorder = Recorder::builder(sink.clone()).build()?;
/// for action in ["a", "b"] {
///     recorder.record(Event::builder(action).actor(Actor::system()).build()?)?;
/// }
/// recorder.flush(Duration::from_secs(5)).await;
///
/// assert_eq!((recorder.stats().dead, recorder.stats().delivered), (1, 1));
/// assert_eq!(sink.attempts(), 2);
/// # Ok(()) }
/// ```
///
/// After a retryable fault the recorder repeats the attempt by its own clock, the first time within
/// half a second.
pub struct FaultSink<S> {
    shared: Arc<Shared<S>>,
}

struct Shared<S> {
    inner: S,
    script: Mutex<Script>,
    attempts: AtomicU64,
    /// How often the sink was told to recover.
    recovered: watch::Sender<u64>,
}

#[derive(Default)]
struct Script {
    faults: VecDeque<(u64, Fault)>,
    /// Whether what comes after the faults waits until the sink recovers.
    hangs: bool,
    slow: Duration,
}

impl<S: Sink> FaultSink<S> {
    /// A sink that does what `inner` does, until it is told otherwise.
    pub fn new(inner: S) -> Self {
        Self {
            shared: Arc::new(Shared {
                inner,
                script: Mutex::default(),
                attempts: AtomicU64::new(0),
                recovered: watch::Sender::new(0),
            }),
        }
    }

    /// The next `times` attempts fail as on a broken connection: the same event is sent again.
    #[must_use]
    pub fn fail_times(self, times: u64) -> Self {
        self.answer_times(times, Fault::retryable("broken on purpose"))
    }

    /// The next `times` attempts are rejected for good: their events become dead letters.
    #[must_use]
    pub fn reject_times(self, times: u64) -> Self {
        self.answer_times(times, Fault::rejected("rejected on purpose"))
    }

    /// The next `times` attempts meet this fault, such as `Fault::rate_limited("..").after(..)` or
    /// `Fault::fatal("..")`.
    #[must_use]
    pub fn answer_times(self, times: u64, fault: Fault) -> Self {
        self.script().faults.push_back((times, fault));
        self
    }

    /// Attempts that meet no fault get no answer, until the sink [recovers](FaultSink::recover) or
    /// the recorder gives them up.
    #[must_use]
    pub fn hang(self) -> Self {
        self.script().hangs = true;
        self
    }

    /// Every attempt takes this long before anything else happens.
    #[must_use]
    pub fn slow(self, delay: Duration) -> Self {
        self.script().slow = delay;
        self
    }

    /// Forgets the faults and the delay that are left, and lets attempts that hang go through.
    pub fn recover(&self) {
        *self.script() = Script::default();
        self.shared.recovered.send_modify(|times| *times += 1);
    }

    /// How many attempts there were.
    #[must_use]
    pub fn attempts(&self) -> u64 {
        self.shared.attempts.load(Ordering::Relaxed)
    }

    /// The sink behind.
    #[must_use]
    pub fn inner(&self) -> &S {
        &self.shared.inner
    }

    /// What the next attempt meets.
    fn next(&self) -> Next {
        let mut script = self.script();
        while let Some((times, fault)) = script.faults.front_mut() {
            if *times > 0 {
                *times -= 1;
                return Next::Fault(fault.clone());
            }
            script.faults.pop_front();
        }
        if script.hangs {
            Next::Hang(self.shared.recovered.subscribe())
        } else {
            Next::Through
        }
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.shared
            .script
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

enum Next {
    Fault(Fault),
    Hang(watch::Receiver<u64>),
    Through,
}

impl<S: Sink> Sink for FaultSink<S> {
    async fn deliver(&self, event: &Event) -> Delivery {
        self.shared.attempts.fetch_add(1, Ordering::Relaxed);
        let slow = self.script().slow;
        if !slow.is_zero() {
            tokio::time::sleep(slow).await;
        }
        match self.next() {
            Next::Fault(fault) => return Err(fault),
            // It errs when the sink is gone, which it cannot be while it delivers.
            Next::Hang(mut recovered) => drop(recovered.changed().await),
            Next::Through => {}
        }
        self.shared.inner.deliver(event).await
    }
}

impl<S> Clone for FaultSink<S> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<S> fmt::Debug for FaultSink<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultSink")
            .field("attempts", &self.shared.attempts)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;
    use crate::sink::MemorySink;

    fn event() -> Event {
        Event::builder("a").build().unwrap()
    }

    #[tokio::test]
    async fn faults_come_in_their_order_and_then_attempts_go_through() {
        let sink = FaultSink::new(MemorySink::new())
            .fail_times(2)
            .reject_times(0)
            .answer_times(1, Fault::fatal("wrong key"))
            .reject_times(1);
        let mut told = Vec::new();
        for _ in 0..5 {
            let answer = sink.deliver(&event()).await;
            told.push(
                answer
                    .err()
                    .map_or_else(String::new, |fault| fault.to_string()),
            );
        }
        let broken = "broken on purpose";
        assert_eq!(
            told,
            [broken, broken, "wrong key", "rejected on purpose", ""]
        );
        assert_eq!((sink.attempts(), sink.inner().events().len()), (5, 1));
    }

    #[tokio::test]
    async fn what_hangs_goes_through_when_the_sink_recovers() {
        let sink = FaultSink::new(MemorySink::new()).hang();
        let event = event();
        let mut attempt = std::pin::pin!(sink.deliver(&event));
        assert!(attempt.as_mut().now_or_never().is_none());
        sink.recover();
        assert_eq!(attempt.await, Ok(()));
        assert_eq!(sink.deliver(&event).now_or_never(), Some(Ok(())));
        assert_eq!(sink.inner().events().len(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_sink_takes_its_time() {
        let sink = FaultSink::new(MemorySink::new()).slow(Duration::from_secs(30));
        let start = tokio::time::Instant::now();
        assert_eq!(sink.deliver(&event()).await, Ok(()));
        assert_eq!(start.elapsed(), Duration::from_secs(30));
    }
}

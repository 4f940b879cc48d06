//! Waiting for durable events to be written, with a deadline.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::Instant;

use tokio::runtime::Handle;

use super::disk::PendingAppend;
use super::pipeline::Pipeline;
use super::timer::Expiry;

/// A future that is ready when durable events are on disk, or at the recorder's deadline
/// ([`RecorderBuilder::durable_deadline`](crate::RecorderBuilder::durable_deadline)).
///
/// Past the deadline the events are counted in
/// [`Stats::deadline_exceeded`](crate::Stats::deadline_exceeded), and still written. It is empty,
/// and ready at once, if no event was durable or another part waits for them. Dropping it ends the
/// wait and nothing else.
#[must_use = "without waiting, the caller continues before the events are on disk"]
#[derive(Default)]
pub struct DurableWait {
    waiting: Option<Box<Waiting>>,
}

struct Waiting {
    pipeline: Arc<Pipeline>,
    appended: Vec<PendingAppend>,
    /// Events that the spool returned when it was closed.
    unwritten: u64,
    /// Ready at the deadline; set once the wait has begun.
    deadline: Option<Expiry>,
}

impl DurableWait {
    /// Adds an event that the spool has accepted.
    pub(crate) fn add(&mut self, pipeline: &Arc<Pipeline>, appended: PendingAppend) {
        let waiting = self.waiting.get_or_insert_with(|| {
            Box::new(Waiting {
                pipeline: Arc::clone(pipeline),
                appended: Vec::new(),
                unwritten: 0,
                deadline: None,
            })
        });
        waiting.appended.push(appended);
    }

    /// Adds the events of another wait.
    pub(crate) fn append(&mut self, other: Self) {
        match (&mut self.waiting, other.waiting) {
            (Some(waiting), Some(mut more)) => {
                waiting.appended.append(&mut more.appended);
                waiting.unwritten += more.unwritten;
            }
            (waiting @ None, more) => *waiting = more,
            (Some(_), None) => {}
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_none()
    }

    /// Waits as a function that is not async can.
    ///
    /// On a thread of a Tokio runtime it returns at once, since a thread that is parked there stops
    /// other tasks: the events that miss the deadline are counted without a waiter. On any other
    /// thread it blocks, as [`DurableWait::wait_blocking`] does.
    pub fn wait(self) {
        if self.is_empty() {
            return;
        }
        if Handle::try_current().is_ok() {
            Detached::start(self);
        } else {
            self.wait_blocking();
        }
    }

    /// Blocks the thread until the future is ready. It keeps time itself, so it needs no runtime.
    pub fn wait_blocking(mut self) {
        struct Unpark(Thread);
        impl Wake for Unpark {
            fn wake(self: Arc<Self>) {
                self.0.unpark();
            }
        }
        let Some(waiting) = &mut self.waiting else {
            return;
        };
        let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
        let mut context = Context::from_waker(&waker);
        let begun = Instant::now();
        while waiting.poll_written(&mut context).is_pending() {
            let left = waiting
                .pipeline
                .durable
                .deadline
                .saturating_sub(begun.elapsed());
            if left.is_zero() {
                return waiting.exceed_deadline();
            }
            std::thread::park_timeout(left);
        }
    }
}

impl Waiting {
    fn poll_written(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let unwritten = &mut self.unwritten;
        self.appended
            .retain_mut(|appended| match Pin::new(appended).poll(context) {
                Poll::Pending => true,
                Poll::Ready(written) => {
                    *unwritten += u64::from(written.is_err());
                    false
                }
            });
        if self.appended.is_empty() {
            if self.unwritten > 0 {
                let why = "the spool was closed before it could write them";
                self.pipeline.record_deadline_exceeded(self.unwritten, why);
            }
            // The dispatcher reads durable events from the disk.
            self.pipeline.queue.nudge();
            return Poll::Ready(());
        }
        Poll::Pending
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if self.poll_written(context).is_ready() {
            return Poll::Ready(());
        }
        let Self {
            pipeline, deadline, ..
        } = self;
        let deadline =
            deadline.get_or_insert_with(|| pipeline.timer.sleep(pipeline.durable.deadline));
        std::task::ready!(Pin::new(deadline).poll(context));
        self.exceed_deadline();
        Poll::Ready(())
    }

    /// Counts the events that were not written by the deadline.
    fn exceed_deadline(&self) {
        let events = self.appended.len() as u64 + self.unwritten;
        self.pipeline
            .record_deadline_exceeded(events, "the disk took longer than the deadline");
    }
}

impl Future for DurableWait {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if let Some(waiting) = &mut self.waiting {
            std::task::ready!(waiting.poll(context));
        }
        self.waiting = None;
        Poll::Ready(())
    }
}

/// A wait without a waiter, which counts the events that miss the deadline.
///
/// It is polled by those that wake it: the spool's thread and the timer's.
struct Detached {
    wait: Mutex<DurableWait>,
    /// The notifications that no poll has followed yet. The first of them polls, also for those
    /// that arrive meanwhile.
    notified: AtomicUsize,
}

impl Detached {
    fn start(wait: DurableWait) {
        let detached = Arc::new(Self {
            wait: Mutex::new(wait),
            notified: AtomicUsize::new(0),
        });
        detached.wake();
    }

    /// Polls the wait once.
    fn poll(self: &Arc<Self>) {
        let waker = Waker::from(Arc::clone(self));
        let mut wait = self.wait.lock().unwrap_or_else(PoisonError::into_inner);
        // The budget of the caller's task does not count here, and could be exhausted.
        let wait = std::pin::pin!(tokio::task::unconstrained(&mut *wait));
        // An empty wait stays ready, so that a late notification does nothing.
        let _ended = wait.poll(&mut Context::from_waker(&waker));
    }
}

impl Wake for Detached {
    fn wake(self: Arc<Self>) {
        if self.notified.fetch_add(1, Ordering::AcqRel) > 0 {
            return;
        }
        loop {
            let seen = self.notified.load(Ordering::Acquire);
            self.poll();
            let all_seen =
                self.notified
                    .compare_exchange(seen, 0, Ordering::AcqRel, Ordering::Acquire);
            if all_seen.is_ok() {
                return;
            }
        }
    }
}

impl fmt::Debug for DurableWait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DurableWait")
            .field("is_empty", &self.is_empty())
            .finish_non_exhaustive()
    }
}

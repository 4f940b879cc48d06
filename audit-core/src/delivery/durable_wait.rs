//! Waiting for durable events to be written, with a deadline.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::Instant;

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

    /// Blocks the thread until the future is ready. It keeps time itself, so it needs no runtime.
    pub fn wait(mut self) {
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

impl fmt::Debug for DurableWait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DurableWait")
            .field("is_empty", &self.is_empty())
            .finish_non_exhaustive()
    }
}

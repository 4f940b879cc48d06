//! The timer of callers' deadlines, which runs beside the dispatcher, the sink, the disk and the
//! caller's runtime, so that none of them can hold a deadline up.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::io;
use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::time::Sleep;

/// The moment that stands for one beyond the clock's range, which is as good as none.
const NEVER: Duration = Duration::from_secs(365 * 24 * 3_600);

/// The timer of a recorder.
pub(crate) enum Timer {
    /// A thread of its own.
    Thread(TimerThread),
    /// The clock of the runtime in which the dispatcher runs as a task, which may be paused.
    #[cfg_attr(
        not(any(test, feature = "testing")),
        expect(dead_code, reason = "only tests run the dispatcher as a task")
    )]
    Runtime(Handle),
}

impl Timer {
    /// Starts a timer with a thread of its own, which ends when the timer is dropped.
    pub(crate) fn start() -> io::Result<Self> {
        TimerThread::start().map(Self::Thread)
    }

    /// Returns the present moment of the clock that the dispatcher reads.
    pub(crate) fn now(&self) -> tokio::time::Instant {
        match self {
            // The caller's runtime may have a paused clock.
            Self::Thread(_) => Instant::now().into(),
            Self::Runtime(runtime) => {
                let _entered = runtime.enter();
                tokio::time::Instant::now()
            }
        }
    }

    /// Returns the moment after a duration from now.
    pub(crate) fn after(&self, duration: Duration) -> tokio::time::Instant {
        let now = self.now();
        now.checked_add(duration).unwrap_or_else(|| now + NEVER)
    }

    /// Returns a future that is ready after a duration.
    ///
    /// It does nothing before its first poll, and leaves nothing behind when it is dropped.
    pub(crate) fn sleep(&self, duration: Duration) -> Expiry {
        let at = self.after(duration);
        match self {
            Self::Thread(thread) => thread.expiry(at.into_std()),
            Self::Runtime(runtime) => {
                let _entered = runtime.enter();
                Expiry::Runtime(Box::pin(tokio::time::sleep_until(at)))
            }
        }
    }

    /// Returns the number of futures that wait for the thread.
    #[cfg(test)]
    pub(crate) fn waiting(&self) -> usize {
        match self {
            Self::Thread(thread) => thread.shared.state().waiting.len(),
            Self::Runtime(_) => 0,
        }
    }

    /// Waits for a future until a moment, and returns `None` if the moment comes first.
    ///
    /// A paused clock would run to that moment while another thread, such as the spool's, is at
    /// work. There the dispatcher alone keeps the time, and the future is waited for.
    pub(crate) async fn until<T>(
        &self,
        at: tokio::time::Instant,
        future: impl Future<Output = T>,
    ) -> Option<T> {
        let Self::Thread(thread) = self else {
            return Some(future.await);
        };
        let mut expiry = thread.expiry(at.into_std());
        let mut future = pin!(future);
        std::future::poll_fn(|context| {
            if let Poll::Ready(output) = future.as_mut().poll(context) {
                return Poll::Ready(Some(output));
            }
            Pin::new(&mut expiry).poll(context).map(|()| None)
        })
        .await
    }
}

impl fmt::Debug for Timer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Timer(..)")
    }
}

/// The handle of the timer's thread; the thread ends when it is dropped.
pub(crate) struct TimerThread {
    shared: Arc<Shared>,
}

impl TimerThread {
    fn start() -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let of_thread = Arc::clone(&shared);
        std::thread::Builder::new()
            .name("audit-timer".to_owned())
            .spawn(move || of_thread.run())?;
        Ok(Self { shared })
    }

    fn expiry(&self, at: Instant) -> Expiry {
        Expiry::Thread(Entry {
            shared: Arc::clone(&self.shared),
            at,
            number: None,
        })
    }
}

impl Drop for TimerThread {
    fn drop(&mut self) {
        self.shared.state().is_closed = true;
        self.shared.changed.notify_one();
    }
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// The wakers of waiting futures, by their moment and number. A future that is dropped removes
    /// its own.
    waiting: BTreeMap<(Instant, u64), Waker>,
    next_number: u64,
    /// The moment until which the thread sleeps; `None` if it waits for a first entry.
    asleep_until: Option<Instant>,
    is_closed: bool,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) {
        let mut state = self.state();
        while !state.is_closed {
            let now = Instant::now();
            let due = state.take_due(now);
            if !due.is_empty() {
                drop(state);
                due.into_iter().for_each(wake);
                state = self.state();
                continue;
            }
            let next = state.waiting.first_key_value().map(|((at, _), _)| *at);
            state.asleep_until = next;
            state = match next {
                Some(at) => {
                    let waited = self.changed.wait_timeout(state, at - now);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                None => self
                    .changed
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner),
            };
        }
    }
}

/// Calls a waker, which is code of the caller's executor.
fn wake(waker: Waker) {
    if std::panic::catch_unwind(AssertUnwindSafe(|| waker.wake())).is_err() {
        tracing::error!("a waker panicked at the deadline of a call of the recorder");
    }
}

impl State {
    fn take_due(&mut self, now: Instant) -> Vec<Waker> {
        let mut due = Vec::new();
        while let Some(entry) = self.waiting.first_entry() {
            if entry.key().0 > now {
                break;
            }
            due.push(entry.remove());
        }
        due
    }
}

/// A future that is ready at a deadline.
pub(crate) enum Expiry {
    Thread(Entry),
    Runtime(Pin<Box<Sleep>>),
}

impl Future for Expiry {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        match &mut *self {
            Self::Thread(entry) => entry.poll(context),
            Self::Runtime(sleep) => sleep.as_mut().poll(context),
        }
    }
}

/// A deadline in the thread's order, from the first poll on.
pub(crate) struct Entry {
    shared: Arc<Shared>,
    at: Instant,
    number: Option<u64>,
}

impl Entry {
    fn poll(&mut self, context: &Context<'_>) -> Poll<()> {
        if self.at <= Instant::now() {
            return Poll::Ready(());
        }
        let mut state = self.shared.state();
        let number = *self.number.get_or_insert_with(|| {
            state.next_number += 1;
            state.next_number
        });
        let replaced = state
            .waiting
            .insert((self.at, number), context.waker().clone());
        let is_earlier = state.asleep_until.is_none_or(|until| self.at < until);
        if is_earlier {
            state.asleep_until = Some(self.at);
        }
        drop(state);
        // A waker is dropped outside the lock, since it is code of the caller's executor.
        drop(replaced);
        if is_earlier {
            self.shared.changed.notify_one();
        }
        Poll::Pending
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            let removed = self.shared.state().waiting.remove(&(self.at, number));
            drop(removed);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    const HOUR: Duration = Duration::from_secs(3_600);

    #[test]
    fn an_earlier_deadline_wakes_its_waiter_before_a_later_one() {
        let timer = Timer::start().unwrap();
        let mut late = timer.sleep(HOUR);
        let mut early = timer.sleep(Duration::from_millis(20));
        // Ends only if the thread wakes for the second, which was registered while it slept.
        pollster::block_on(poll_fn(|context| {
            assert!(Pin::new(&mut late).poll(context).is_pending());
            Pin::new(&mut early).poll(context)
        }));
        assert_eq!(timer.waiting(), 1);
    }

    #[test]
    fn a_waiter_that_is_dropped_leaves_no_entry() {
        let timer = Timer::start().unwrap();
        let mut context = Context::from_waker(Waker::noop());
        for _ in 0..1_000 {
            let mut expiry = timer.sleep(HOUR);
            for _ in 0..3 {
                assert!(Pin::new(&mut expiry).poll(&mut context).is_pending());
            }
            assert_eq!(timer.waiting(), 1);
        }
        assert_eq!(timer.waiting(), 0);
    }

    #[test]
    fn a_waker_that_panics_ends_no_deadline_but_its_own() {
        struct Panics;
        impl std::task::Wake for Panics {
            fn wake(self: Arc<Self>) {
                panic!("on purpose");
            }
        }
        let timer = Timer::start().unwrap();
        let mut broken = timer.sleep(Duration::from_millis(1));
        let waker = Waker::from(Arc::new(Panics));
        let poll = Pin::new(&mut broken).poll(&mut Context::from_waker(&waker));
        assert!(poll.is_pending());
        pollster::block_on(timer.sleep(Duration::from_millis(20)));
    }

    #[test]
    fn a_deadline_beyond_the_clock_is_none() {
        let timer = Timer::start().unwrap();
        let never = timer.after(Duration::MAX);
        assert_eq!(pollster::block_on(timer.until(never, async { 7 })), Some(7));
    }
}

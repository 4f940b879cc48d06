//! A sink that follows a script.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::attempt::Attempt;
use super::discard_sink::DiscardSink;
use crate::event::{Event, EventId};
use crate::sink::{Delivery, Fault, RateLimit, Sink};

/// A sink that follows a script: it fails, panics, hangs or delays, and records every attempt.
///
/// It wraps another sink, for tests of how a service behaves while its audit log is slow or
/// unavailable. Clones share the script and the attempts, so a test keeps one clone and gives the
/// other to the recorder.
///
/// An attempt passes these steps in order:
///
/// 1. It is recorded, see [`attempts`](FaultSink::attempts).
/// 2. It waits for the [`latency`](FaultSink::latency).
/// 3. It takes the next response of the script: [`accept_times`](FaultSink::accept_times),
///    [`fail_times`](FaultSink::fail_times), [`reject_times`](FaultSink::reject_times),
///    [`fault_times`](FaultSink::fault_times) and [`panic_times`](FaultSink::panic_times), in the
///    order of their calls, one response for each attempt.
/// 4. At the end of the script it waits if the sink [hangs](FaultSink::hang); otherwise the
///    function of [`respond_with`](FaultSink::respond_with) decides.
/// 5. Without a fault so far, the wrapped sink delivers the event.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use audit_core::testing::FaultSink;
/// use audit_core::{Actor, Event, MemorySink, Recorder};
/// use std::time::Duration;
///
/// let sink = FaultSink::new(MemorySink::new()).accept_times(1).reject_times(1);
/// let recorder = Recorder::builder(sink.clone()).build()?;
/// for action in ["a", "b", "c"] {
///     recorder.record(Event::builder(action).actor(Actor::system()).build()?)?;
/// }
/// recorder.flush(Duration::from_secs(5)).await;
///
/// assert_eq!((recorder.stats().dead, recorder.stats().delivered), (1, 2));
/// assert_eq!(sink.attempts().len(), 3);
/// assert_eq!(sink.inner().events().len(), 2);
/// # Ok(()) }
/// ```
///
/// The recorder retries after a retryable fault, the first time within half a second. Latency,
/// retries and the times of attempts follow Tokio's clock, so a test with
/// [`RecorderBuilder::build_in_runtime`](crate::RecorderBuilder::build_in_runtime) and
/// `tokio::time::pause` runs hours in milliseconds.
pub struct FaultSink<S = DiscardSink> {
    shared: Arc<Shared<S>>,
}

struct Shared<S> {
    inner: S,
    created: Instant,
    state: Mutex<State>,
    progress: watch::Sender<Progress>,
}

#[derive(Default)]
struct State {
    script: Script,
    /// Replaces the rate limit of the wrapped sink.
    rate_limit: Option<RateLimit>,
    attempts: Vec<Attempt>,
}

#[derive(Default)]
struct Script {
    latency: Duration,
    /// Responses, each with the number of attempts that receive it.
    steps: VecDeque<(u64, Step)>,
    /// Attempts after the last step wait until the sink recovers.
    hangs: bool,
    respond: Option<Arc<Respond>>,
}

#[derive(Clone)]
enum Step {
    Accept,
    Fault(Fault),
    Panic,
}

type Respond = dyn Fn(&Event, &Attempt) -> Delivery + Send + Sync;

/// Counters that waiting attempts and tests wake on.
#[derive(Clone, Copy, Default)]
struct Progress {
    attempts: usize,
    delivered: usize,
    recoveries: usize,
}

impl FaultSink {
    /// Creates a sink that accepts every event and keeps none, for tests that read only the
    /// [attempts](FaultSink::attempts).
    #[must_use]
    pub fn discarding() -> Self {
        Self::new(DiscardSink)
    }
}

impl<S: Sink> FaultSink<S> {
    /// Creates a sink that behaves as `inner` until a script is set.
    pub fn new(inner: S) -> Self {
        Self {
            shared: Arc::new(Shared {
                inner,
                created: Instant::now(),
                state: Mutex::default(),
                progress: watch::Sender::default(),
            }),
        }
    }

    /// Lets the next `times` attempts pass to the wrapped sink.
    #[must_use]
    pub fn accept_times(self, times: u64) -> Self {
        self.step(times, Step::Accept)
    }

    /// Fails the next `times` attempts with a retryable fault: the recorder retries the event.
    #[must_use]
    pub fn fail_times(self, times: u64) -> Self {
        self.fault_times(times, broken())
    }

    /// Rejects the next `times` attempts: their events become dead letters.
    #[must_use]
    pub fn reject_times(self, times: u64) -> Self {
        self.fault_times(times, Fault::rejected("rejected on purpose"))
    }

    /// Fails the next `times` attempts with this fault, such as
    /// `Fault::rate_limited("..").after(..)` or `Fault::fatal("..")`.
    #[must_use]
    pub fn fault_times(self, times: u64, fault: Fault) -> Self {
        self.step(times, Step::Fault(fault))
    }

    /// Panics in the next `times` attempts. The recorder makes dead letters of their events.
    #[must_use]
    pub fn panic_times(self, times: u64) -> Self {
        self.step(times, Step::Panic)
    }

    /// Holds attempts that come after the script until the sink [recovers](FaultSink::recover) or
    /// the recorder gives them up.
    #[must_use]
    pub fn hang(self) -> Self {
        self.state().script.hangs = true;
        self
    }

    /// Decides attempts that come after the script by a function of the event and the attempt.
    /// Replaces an earlier function.
    ///
    /// After `Ok` the wrapped sink delivers the event. A panic of the function is a panic of the
    /// sink.
    ///
    /// ```
    /// use audit_core::Fault;
    /// use audit_core::testing::FaultSink;
    ///
    /// let sink = FaultSink::discarding().respond_with(|event, attempt| {
    ///     if event.action() == "document.delete" && attempt.number() % 7 == 0 {
    ///         return Err(Fault::retryable("every seventh attempt"));
    ///     }
    ///     Ok(())
    /// });
    /// # drop(sink);
    /// ```
    #[must_use]
    pub fn respond_with(
        self,
        respond: impl Fn(&Event, &Attempt) -> Delivery + Send + Sync + 'static,
    ) -> Self {
        self.state().script.respond = Some(Arc::new(respond));
        self
    }

    /// Fails every attempt that starts within this time of the sink's creation, with a retryable
    /// fault. Replaces a function of [`respond_with`](FaultSink::respond_with).
    #[must_use]
    pub fn fail_for(self, outage: Duration) -> Self {
        self.respond_with(move |_, attempt| {
            if attempt.at() < outage {
                return Err(broken());
            }
            Ok(())
        })
    }

    /// Delays every attempt by this time before its response.
    #[must_use]
    pub fn latency(self, latency: Duration) -> Self {
        self.state().script.latency = latency;
        self
    }

    /// Limits the rate of attempts, in place of the wrapped sink's own limit. Set it before the
    /// recorder is built: the recorder reads the limit once.
    #[must_use]
    pub fn with_rate_limit(self, limit: RateLimit) -> Self {
        self.state().rate_limit = Some(limit);
        self
    }

    /// Ends the script: removes its responses, function and latency, and releases attempts that
    /// hang to the wrapped sink. The rate limit stays.
    pub fn recover(&self) {
        let mut state = self.state();
        state.script = Script::default();
        self.progress(|progress| progress.recoveries += 1);
    }

    /// Returns all attempts so far, in the order of their start. The list has no limit.
    #[must_use]
    pub fn attempts(&self) -> Vec<Attempt> {
        self.state().attempts.clone()
    }

    /// Returns the ids of the delivered events, in the order in which their attempts started.
    #[must_use]
    pub fn delivered(&self) -> Vec<EventId> {
        let state = self.state();
        let delivered = state
            .attempts
            .iter()
            .filter(|attempt| attempt.is_delivered());
        delivered.map(Attempt::event_id).collect()
    }

    /// Waits until `count` attempts have started since the creation of the sink.
    ///
    /// Works across threads and runtimes. There is no timeout; the test sets one.
    ///
    /// # Cancellation
    ///
    /// Safe: nothing changes.
    pub async fn wait_for_attempts(&self, count: usize) {
        self.wait_until(|progress| progress.attempts >= count).await;
    }

    /// Waits until `count` events have been delivered since the creation of the sink.
    ///
    /// Then [`inner`](FaultSink::inner) has them.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use audit_core::testing::FaultSink;
    /// use audit_core::{Event, MemorySink, Recorder};
    ///
    /// let sink = FaultSink::new(MemorySink::new());
    /// let recorder = Recorder::builder(sink.clone()).build()?;
    /// recorder.record(Event::builder("document.delete").build()?)?;
    /// sink.wait_for_deliveries(1).await;
    /// assert_eq!(sink.inner().events()[0].action(), "document.delete");
    /// # Ok(()) }
    /// ```
    ///
    /// # Cancellation
    ///
    /// Safe: nothing changes.
    pub async fn wait_for_deliveries(&self, count: usize) {
        self.wait_until(|progress| progress.delivered >= count)
            .await;
    }

    /// Returns the time since the creation of the sink, by Tokio's clock.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.shared.created.elapsed()
    }

    /// Returns the wrapped sink.
    #[must_use]
    pub fn inner(&self) -> &S {
        &self.shared.inner
    }

    fn step(self, times: u64, step: Step) -> Self {
        self.state().script.steps.push_back((times, step));
        self
    }

    /// Records the start of an attempt.
    fn begin(&self, event: &Event) -> (Attempt, Duration) {
        let (attempt, latency) = {
            let mut state = self.state();
            let number = state.attempts.len() + 1;
            let attempt = Attempt::begun(number, event.id(), self.elapsed());
            state.attempts.push(attempt.clone());
            (attempt, state.script.latency)
        };
        self.progress(|progress| progress.attempts += 1);
        (attempt, latency)
    }

    /// Records the end of an attempt.
    fn end(&self, attempt: &Attempt, result: Delivery) {
        let is_delivered = result.is_ok();
        if let Some(attempt) = self.state().attempts.get_mut(attempt.number() - 1) {
            attempt.end(result);
        }
        if is_delivered {
            self.progress(|progress| progress.delivered += 1);
        }
    }

    /// Takes the response to the next attempt.
    fn next(&self) -> Next {
        let mut state = self.state();
        let script = &mut state.script;
        while let Some((times, step)) = script.steps.front_mut() {
            if *times > 0 {
                *times -= 1;
                return Next::Step(step.clone());
            }
            script.steps.pop_front();
        }
        if script.hangs {
            // Under the lock, so that no recovery comes between the decision and the count.
            Next::Hang(self.shared.progress.borrow().recoveries)
        } else if let Some(respond) = &script.respond {
            Next::Ask(Arc::clone(respond))
        } else {
            Next::Step(Step::Accept)
        }
    }

    /// Decides an attempt. No lock is held while the function of the test runs.
    #[expect(clippy::panic, reason = "a sink that panics is part of the script")]
    async fn decide(&self, event: &Event, attempt: &Attempt) -> Delivery {
        match self.next() {
            Next::Step(Step::Accept) => Ok(()),
            Next::Step(Step::Fault(fault)) => Err(fault),
            Next::Step(Step::Panic) => panic!("panicked on purpose"),
            Next::Hang(before) => {
                self.wait_until(|progress| progress.recoveries > before)
                    .await;
                Ok(())
            }
            Next::Ask(respond) => respond(event, attempt),
        }
    }

    async fn wait_until(&self, reached: impl Fn(&Progress) -> bool) {
        let mut progress = self.shared.progress.subscribe();
        // It errs only when the sender is gone, and `self` holds the sender.
        drop(progress.wait_for(reached).await);
    }

    fn progress(&self, change: impl FnOnce(&mut Progress)) {
        self.shared.progress.send_modify(change);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn broken() -> Fault {
    Fault::retryable("broken on purpose")
}

enum Next {
    Step(Step),
    /// Wait for a recovery after this many.
    Hang(usize),
    Ask(Arc<Respond>),
}

impl<S: Sink> Sink for FaultSink<S> {
    async fn deliver(&self, event: &Event) -> Delivery {
        let (attempt, latency) = self.begin(event);
        if !latency.is_zero() {
            tokio::time::sleep(latency).await;
        }
        let result = match self.decide(event, &attempt).await {
            Ok(()) => self.shared.inner.deliver(event).await,
            fault => fault,
        };
        self.end(&attempt, result.clone());
        result
    }

    fn rate_limit(&self) -> RateLimit {
        let limit = self.state().rate_limit.clone();
        limit.unwrap_or_else(|| self.shared.inner.rate_limit())
    }

    async fn unknown_actions(&self, actions: &[&'static str]) -> Result<Vec<&'static str>, Fault> {
        self.shared.inner.unknown_actions(actions).await
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
            .field("attempts", &self.shared.progress.borrow().attempts)
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

    async fn responses(sink: &FaultSink<impl Sink>, attempts: usize) -> Vec<String> {
        let mut responses = Vec::new();
        for _ in 0..attempts {
            let fault = sink.deliver(&event()).await.err();
            responses.push(fault.map_or_else(String::new, |fault| fault.to_string()));
        }
        responses
    }

    #[tokio::test]
    async fn script_is_followed_in_order_and_then_attempts_pass() {
        let sink = FaultSink::new(MemorySink::new())
            .fail_times(2)
            .reject_times(0)
            .accept_times(1)
            .fault_times(1, Fault::fatal("wrong key"))
            .reject_times(1);
        let broken = "broken on purpose";
        assert_eq!(
            responses(&sink, 6).await,
            [broken, broken, "", "wrong key", "rejected on purpose", ""]
        );
        assert_eq!(sink.inner().events().len(), 2);
        let attempts = sink.attempts();
        let delivered: Vec<_> = attempts.iter().map(Attempt::is_delivered).collect();
        assert_eq!(delivered, [false, false, true, false, false, true]);
        assert_eq!(
            sink.delivered(),
            [attempts[2].event_id(), attempts[5].event_id()]
        );
    }

    #[tokio::test]
    async fn hanging_attempts_pass_when_the_sink_recovers() {
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
    async fn latency_and_attempt_times_follow_the_virtual_clock() {
        let latency = Duration::from_secs(30);
        let sink = FaultSink::discarding().latency(latency);
        assert_eq!(responses(&sink, 2).await, ["", ""]);
        assert_eq!(sink.elapsed(), 2 * latency);
        let times: Vec<_> = sink.attempts().iter().map(Attempt::at).collect();
        assert_eq!(times, [Duration::ZERO, latency]);
    }

    #[tokio::test(start_paused = true)]
    async fn outage_ends_after_its_time() {
        let outage = Duration::from_secs(60);
        let sink = FaultSink::discarding().fail_for(outage);
        assert_eq!(responses(&sink, 1).await, ["broken on purpose"]);
        tokio::time::advance(outage).await;
        assert_eq!(responses(&sink, 1).await, [""]);
    }

    #[tokio::test]
    async fn function_decides_after_the_script_and_until_recovery() {
        let sink = FaultSink::discarding()
            .accept_times(1)
            .respond_with(|_, attempt| Err(Fault::rejected(attempt.number().to_string())));
        assert_eq!(responses(&sink, 3).await, ["", "2", "3"]);
        sink.recover();
        assert_eq!(responses(&sink, 1).await, [""]);
    }

    #[tokio::test]
    async fn panicking_attempt_leaves_the_sink_usable() {
        let sink = FaultSink::discarding().panic_times(1);
        let event = event();
        let attempt = std::panic::AssertUnwindSafe(sink.deliver(&event));
        assert!(attempt.catch_unwind().await.is_err());
        assert_eq!(responses(&sink, 1).await, [""]);
        assert!(!sink.attempts()[0].is_delivered() && sink.attempts()[0].fault().is_none());
    }

    #[tokio::test]
    async fn waiters_resume_at_their_attempt_and_their_delivery() {
        let sink = FaultSink::discarding().fail_times(1);
        let mut attempted = std::pin::pin!(sink.wait_for_attempts(1));
        let mut delivered = std::pin::pin!(sink.wait_for_deliveries(1));
        assert!(attempted.as_mut().now_or_never().is_none());
        assert!(sink.deliver(&event()).await.is_err());
        attempted.await;
        assert!(delivered.as_mut().now_or_never().is_none());
        assert!(sink.deliver(&event()).await.is_ok());
        delivered.await;
    }

    #[test]
    fn rate_limit_replaces_that_of_the_wrapped_sink() {
        let wrapped = FaultSink::discarding().with_rate_limit(RateLimit::per_second(5.0));
        let sink = FaultSink::new(wrapped);
        assert_eq!(Sink::rate_limit(&sink).rate(), Some(5.0));
        let sink = sink.with_rate_limit(RateLimit::per_second(9.0));
        assert_eq!(Sink::rate_limit(&sink).rate(), Some(9.0));
    }
}

//! A recorder for one test, and what it has seen.

use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::{Method, StatusCode};

use super::coverage::{Coverage, Facts, Written};
use super::discard_sink::DiscardSink;
use super::events::Events;
use crate::event::Event;
use crate::recorder::{Recorder, RecorderBuilder};
use crate::scope::Scope;
use crate::telemetry::{AuditTrace, Observer};

/// How many events a capture keeps, unless they are taken out.
const MOST_EVENTS: usize = 10_000;

/// A recorder of its own for one test.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use audit_core::{assert_audited, record, testing};
///
/// let capture = testing::capture();
/// capture.run(async { record!("document.delete", target(document = 42)) }).await;
/// assert_audited!(capture.events(), action = "document.delete", target(document = 42));
/// # }
/// ```
///
/// # Panics
///
/// When the operating system gives no thread for the dispatcher, or the file of a
/// [named run](fn@crate::testing::coverage#over-all-processes-of-a-run) cannot be written.
#[must_use]
#[track_caller]
pub fn capture() -> Capture {
    Capture::of(Recorder::builder(DiscardSink))
}

/// What one recorder was given, for a test. See [`capture`].
///
/// It holds up to 10,000 events. Clones share them, and the recorder.
#[derive(Clone)]
pub struct Capture {
    recorder: Recorder,
    observer: Arc<TestObserver>,
}

impl Capture {
    /// Captures what a recorder of yours is given: one with your sink, limits, catalog or fallback
    /// organization.
    ///
    /// ```
    /// use audit_core::testing::{Capture, FaultSink};
    /// use audit_core::{MemorySink, Recorder};
    ///
    /// let away = FaultSink::new(MemorySink::new()).hang();
    /// let capture = Capture::of(Recorder::builder(away).capacity(16));
    /// ```
    ///
    /// # Panics
    ///
    /// As [`capture`] does, and when the recorder cannot be built.
    #[must_use]
    #[track_caller]
    #[expect(clippy::panic, reason = "a test that cannot record has nothing to say")]
    pub fn of(builder: RecorderBuilder) -> Self {
        let file = match Written::of_process() {
            Ok(file) => file,
            Err(error) => panic!("cannot note what this test covers: {error}"),
        };
        let observer = Arc::new(TestObserver {
            file,
            seen: Mutex::default(),
        });
        match builder.observed_by(observer.clone()).build() {
            Ok(recorder) => Self { recorder, observer },
            Err(error) => panic!("cannot capture: {error}"),
        }
    }

    /// The recorder, for the service under test.
    #[must_use]
    pub fn recorder(&self) -> Recorder {
        self.recorder.clone()
    }

    /// Opens a scope, for code that runs without a web layer: `capture.scope().actor(..).run(job)`.
    pub fn scope(&self) -> Scope {
        self.recorder.scope()
    }

    /// Runs a job in a scope of its own and records what ended in it. The same as
    /// `capture.scope().run(job)`.
    ///
    /// Nothing is made up: where neither the job nor its attribute says who acts and for whom, the
    /// actor is `unresolved` and the organization missing, as they would be in production.
    pub async fn run<F: Future>(&self, job: F) -> F::Output {
        self.scope().run(job).await
    }

    /// What has been recorded so far, in the order it was recorded, whether delivered or not.
    ///
    /// Events that ended in a scope are recorded when the scope is settled: when `run` returns, or
    /// the request is answered. Events that the recorder refused are not among them.
    ///
    /// # Panics
    ///
    /// When more than 10,000 events were recorded and not [taken](Capture::take), since the rest
    /// are not here.
    #[must_use]
    #[track_caller]
    pub fn events(&self) -> Events {
        let seen = self.observer.seen();
        seen.assert_whole();
        Events::from(seen.events.clone())
    }

    /// Takes out what has been recorded so far, so that the next step of a test begins with
    /// nothing.
    ///
    /// # Panics
    ///
    /// As [`Capture::events`].
    #[must_use]
    #[track_caller]
    pub fn take(&self) -> Events {
        let mut seen = self.observer.seen();
        seen.assert_whole();
        Events::from(std::mem::take(&mut seen.events))
    }

    /// Holds a list of routes, each a method and the route as the router has it, against the
    /// requests that the recorder's layers have answered so far.
    ///
    /// Routers cannot be listed, so the list is written beside them; a route that was exercised and
    /// is not in it is reported too.
    ///
    /// ```no_run
    /// use audit_core::{assert_covered, catalog, testing};
    ///
    /// const ROUTES: &[(&str, &str)] = &[("GET", "/documents"), ("DELETE", "/documents/{doc_id}")];
    ///
    /// let capture = testing::capture();
    /// // Serve with `capture.recorder()`, and send a request to each route; then:
    /// assert_covered!(capture.coverage(ROUTES).catalog(catalog!()));
    /// ```
    pub fn coverage(&self, routes: &[(&str, &str)]) -> Coverage {
        Coverage::of_capture(routes, self.observer.seen().facts.clone())
    }
}

impl fmt::Debug for Capture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Capture")
            .field("recorder", &self.recorder)
            .finish_non_exhaustive()
    }
}

/// What a capture's recorder tells of.
struct TestObserver {
    /// Where it is noted for other processes, if the run has a name.
    file: Option<&'static Written>,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    events: Vec<Event>,
    missed: u64,
    facts: Facts,
}

impl Seen {
    #[track_caller]
    fn assert_whole(&self) {
        assert!(
            self.missed == 0,
            "the capture holds its limit of {MOST_EVENTS} events, and {} more were recorded; take events out with \
             `Capture::take` between the steps of the test",
            self.missed
        );
    }
}

impl Observer for TestObserver {
    /// The recorder accepted an event.
    fn recorded(&self, event: Event) {
        if let Some(file) = self.file {
            file.recorded(event.action());
        }
        let mut seen = self.seen();
        seen.facts.recorded(event.action());
        if seen.events.len() < MOST_EVENTS {
            seen.events.push(event);
        } else {
            seen.missed += 1;
        }
    }

    /// A request was answered.
    fn answered(
        &self,
        method: &Method,
        route: Option<&str>,
        trail: AuditTrace,
        status: StatusCode,
    ) {
        if let Some(file) = self.file {
            file.answered(method, route, trail, status);
        }
        self.seen().facts.answered(method, route, trail, status);
    }
}

impl TestObserver {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Actor;
    use crate::sink::MemorySink;
    use crate::testing::fault_sink::FaultSink;

    fn event(action: &str) -> Event {
        Event::builder(action)
            .actor(Actor::system())
            .build()
            .unwrap()
    }

    #[test]
    fn events_are_there_at_once_in_the_order_they_were_recorded() {
        // The first attempt waits for ever, so nothing is delivered, and nothing is waited for.
        let away = FaultSink::new(MemorySink::new()).hang();
        let capture = Capture::of(Recorder::builder(away));
        let actions: Vec<_> = (0..100).map(|number| format!("a{number}")).collect();
        for action in &actions {
            capture.recorder().record(event(action)).unwrap();
        }
        assert_eq!(capture.events().actions(), actions);
        assert_eq!(capture.take().len(), 100);
        assert!(capture.events().is_empty());
    }

    #[test]
    fn a_capture_sees_no_other_captures_events() {
        let (one, other) = (capture(), capture());
        one.recorder().record(event("a")).unwrap();
        assert!(other.events().is_empty());
        assert_eq!(one.events().len(), 1);
    }

    #[test]
    fn what_the_recorder_refused_was_not_recorded() {
        let away = FaultSink::new(MemorySink::new()).hang();
        let capture = Capture::of(Recorder::builder(away).capacity(1));
        capture.recorder().record(event("a")).unwrap();
        assert!(capture.recorder().record(event("b")).is_err());
        assert_eq!(capture.events().actions(), ["a"]);
    }

    #[test]
    #[should_panic = "the capture holds its limit of 10000 events, and 1 more were recorded"]
    fn events_past_the_limit_are_not_left_out_in_silence() {
        let sink = MemorySink::new();
        let capture = Capture::of(Recorder::builder(sink).capacity(20_000));
        for _ in 0..=MOST_EVENTS {
            capture.recorder().record(event("a")).unwrap();
        }
        drop(capture.events());
    }

    #[tokio::test]
    async fn nobody_is_made_up() {
        let capture = capture();
        let job = async {
            crate::private::close(
                crate::private::open("document.delete"),
                crate::Outcome::Succeeded,
            );
        };
        capture.run(job).await;
        let events = capture.events();
        assert_eq!(events[0].actor().unwrap().id(), "unresolved");
        assert_eq!(events[0].organization(), None);
    }
}

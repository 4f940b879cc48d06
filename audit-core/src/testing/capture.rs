//! A recorder for one test, and the events it accepted.

use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::{Method, StatusCode};

use super::coverage::{Coverage, Facts, FactsFile};
use super::discard_sink::DiscardSink;
use super::events::Events;
use crate::event::Event;
use crate::recorder::{Recorder, RecorderBuilder};
use crate::scope::Scope;
use crate::telemetry::{AuditTrace, Observer};

/// Events that a capture keeps until they are taken out.
const MOST_EVENTS: usize = 10_000;

/// Creates a recorder for one test and captures its events.
///
/// Returns a [`Capture`]; delivered events are discarded.
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
/// If the operating system cannot start the dispatcher's thread, or the file of a
/// [named run](fn@crate::testing::coverage#over-all-processes-of-a-run) cannot be written.
#[must_use]
#[track_caller]
pub fn capture() -> Capture {
    Capture::of(Recorder::builder(DiscardSink))
}

/// A recorder together with the events it accepted. Created by [`capture`] or [`Capture::of`].
///
/// It holds up to 10,000 events. Clones share the events and the recorder.
#[derive(Clone)]
pub struct Capture {
    recorder: Recorder,
    observer: Arc<TestObserver>,
}

impl Capture {
    /// Captures the events of a configured recorder: with another sink, limits, catalog or fallback
    /// organization.
    ///
    /// ```
    /// use audit_core::testing::{Capture, FaultSink};
    /// use audit_core::{MemorySink, Recorder};
    ///
    /// let unavailable = FaultSink::new(MemorySink::new()).hang();
    /// let capture = Capture::of(Recorder::builder(unavailable).capacity(16));
    /// ```
    ///
    /// # Panics
    ///
    /// As [`capture`], and if the recorder cannot be built.
    #[must_use]
    #[track_caller]
    #[expect(clippy::panic, reason = "a test that cannot record proves nothing")]
    pub fn of(builder: RecorderBuilder) -> Self {
        let file = match FactsFile::of_process() {
            Ok(file) => file,
            Err(error) => panic!("failed to record the coverage of this test: {error}"),
        };
        let observer = Arc::new(TestObserver {
            file,
            seen: Mutex::default(),
        });
        match builder.observed_by(observer.clone()).build() {
            Ok(recorder) => Self { recorder, observer },
            Err(error) => panic!("failed to build the recorder of a capture: {error}"),
        }
    }

    /// Returns the recorder, for the service under test.
    #[must_use]
    pub fn recorder(&self) -> Recorder {
        self.recorder.clone()
    }

    /// Opens a scope, for code that runs without a web layer: `capture.scope().actor(..).run(job)`.
    pub fn scope(&self) -> Scope {
        self.recorder.scope()
    }

    /// Runs a job in a new scope and records the events that complete in it. Equal to
    /// `capture.scope().run(job)`. Returns the job's output.
    ///
    /// No actor or organization is invented: if neither the job nor its attribute sets them, the
    /// actor is `unresolved` and the organization missing, as in production.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// use audit_core::{record, testing};
    ///
    /// let capture = testing::capture();
    /// let job = async {
    ///     record!("document.delete", target(document = 42));
    ///     "done"
    /// };
    /// assert_eq!(capture.run(job).await, "done");
    /// assert_eq!(capture.events()[0].actor().unwrap().id(), "unresolved");
    /// # }
    /// ```
    pub async fn run<F: Future>(&self, job: F) -> F::Output {
        self.scope().run(job).await
    }

    /// Returns the events accepted so far, in the order of recording, delivered or not.
    ///
    /// Events that complete in a scope are recorded when the scope is settled: when `run` returns,
    /// or when the response is sent. Events that the recorder refused are not included.
    ///
    /// # Panics
    ///
    /// If more than 10,000 events were recorded and not [taken](Capture::take), because the capture
    /// does not have the rest.
    #[must_use]
    #[track_caller]
    pub fn events(&self) -> Events {
        let seen = self.observer.seen();
        seen.assert_whole();
        Events::from(seen.events.clone())
    }

    /// Removes and returns the events accepted so far, so that the next step of a test starts
    /// without events.
    ///
    /// ```
    /// use audit_core::{Event, testing};
    ///
    /// let capture = testing::capture();
    /// capture.recorder().record(Event::builder("document.delete").build()?)?;
    /// assert_eq!(capture.take().len(), 1);
    /// assert!(capture.events().is_empty());
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
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

    /// Compares a list of routes with the requests that the recorder's layers completed so far.
    ///
    /// Each entry is a method and the route as registered in the router. Routers cannot be listed,
    /// so the list is written beside the router; a changing route that was exercised and is not in
    /// the list is reported too.
    ///
    /// ```no_run
    /// use audit_core::{assert_covered, catalog, testing};
    ///
    /// const ROUTES: &[(&str, &str)] = &[("GET", "/documents"), ("DELETE", "/documents/{doc_id}")];
    ///
    /// let capture = testing::capture();
    /// // Serve with `capture.recorder()` and send a request to each route; then:
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

/// Receives the accepted events and completed requests of a capture's recorder.
struct TestObserver {
    /// The coverage file of this process, if the run has a name.
    file: Option<&'static FactsFile>,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    events: Vec<Event>,
    /// Events beyond the limit.
    missed: u64,
    facts: Facts,
}

impl Seen {
    #[track_caller]
    fn assert_whole(&self) {
        assert!(
            self.missed == 0,
            "the capture holds its limit of {MOST_EVENTS} events, and {} more were recorded; remove events with \
             `Capture::take` between the steps of the test",
            self.missed
        );
    }
}

impl Observer for TestObserver {
    fn on_event(&self, event: Event) {
        if let Some(file) = self.file {
            file.write_action(event.action());
        }
        let mut seen = self.seen();
        seen.facts.add_action(event.action());
        if seen.events.len() < MOST_EVENTS {
            seen.events.push(event);
        } else {
            seen.missed += 1;
        }
    }

    fn on_response(
        &self,
        method: &Method,
        route: Option<&str>,
        trace: AuditTrace,
        status: StatusCode,
    ) {
        if let Some(file) = self.file {
            file.write_request(method, route, trace, status);
        }
        self.seen().facts.add_request(method, route, trace, status);
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
    fn events_are_available_before_delivery_in_recording_order() {
        // The first attempt hangs, so nothing is delivered.
        let unavailable = FaultSink::new(MemorySink::new()).hang();
        let capture = Capture::of(Recorder::builder(unavailable));
        let actions: Vec<_> = (0..100).map(|number| format!("a{number}")).collect();
        for action in &actions {
            capture.recorder().record(event(action)).unwrap();
        }
        assert_eq!(capture.events().actions(), actions);
        assert_eq!(capture.take().len(), 100);
        assert!(capture.events().is_empty());
    }

    #[test]
    fn captures_do_not_share_events() {
        let (one, other) = (capture(), capture());
        one.recorder().record(event("a")).unwrap();
        assert!(other.events().is_empty());
        assert_eq!(one.events().len(), 1);
    }

    #[test]
    fn refused_events_are_not_captured() {
        let unavailable = FaultSink::new(MemorySink::new()).hang();
        let capture = Capture::of(Recorder::builder(unavailable).capacity(1));
        capture.recorder().record(event("a")).unwrap();
        assert!(capture.recorder().record(event("b")).is_err());
        assert_eq!(capture.events().actions(), ["a"]);
    }

    #[test]
    #[should_panic = "the capture holds its limit of 10000 events, and 1 more were recorded"]
    fn events_beyond_the_limit_are_reported() {
        let sink = MemorySink::new();
        let capture = Capture::of(Recorder::builder(sink).capacity(20_000));
        for _ in 0..=MOST_EVENTS {
            capture.recorder().record(event("a")).unwrap();
        }
        drop(capture.events());
    }

    #[tokio::test]
    async fn missing_actor_is_not_invented() {
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

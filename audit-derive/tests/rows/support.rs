//! Runs a job under a recorder and formats its events.

use std::future::Future;
use std::time::Duration;

use audit_core::{Actor, Event, MemorySink, Recorder};

/// A wrapper without any trait, like an extractor of a path, a body or a state.
pub(crate) struct Path<T>(pub(crate) T);

/// Another wrapper.
pub(crate) struct Json<T>(pub(crate) T);

/// The body of a request.
pub(crate) struct Body {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) role: &'static str,
}

/// Creates a body with this id.
pub(crate) fn body(id: u64) -> Body {
    Body {
        id,
        name: "name".to_owned(),
        role: "owner",
    }
}

/// The list of events when none is expected.
pub(crate) const NONE: [&str; 0] = [];

/// Asserts at compile time that a future is `Send`.
pub(crate) fn is_send<F: Future + Send>(future: F) -> F {
    future
}

/// Runs a job under a recorder and returns its events.
pub(crate) async fn events_of(job: impl Future) -> Vec<Event> {
    let sink = MemorySink::new();
    let recorder = Recorder::builder(sink.clone())
        .fallback_organization("org_1")
        .build()
        .expect("a recorder");
    drop(recorder.scope().actor(Actor::user("user_1")).run(job).await);
    let _report = recorder.shutdown(Duration::from_secs(10)).await;
    sink.take()
}

/// Runs a job and formats its events.
pub(crate) async fn all(job: impl Future) -> Vec<String> {
    events_of(job).await.iter().map(shown).collect()
}

/// Runs a job and formats its only event.
pub(crate) async fn one(job: impl Future) -> String {
    let mut events = all(job).await;
    assert_eq!(events.len(), 1, "one event, not {events:?}");
    events.remove(0)
}

/// Formats an event as `action type:id,.. outcome`.
pub(crate) fn shown(event: &Event) -> String {
    let targets: Vec<_> = event
        .targets()
        .map(|target| format!("{}:{}", target.kind(), target.id()))
        .collect();
    format!(
        "{} {} {}",
        event.action(),
        targets.join(","),
        event.outcome()
    )
}

/// Defines one test per line: the job leaves exactly this event.
macro_rules! leave {
    ($($name:ident: $job:expr => $event:literal;)*) => {$(
        #[test]
        fn $name() {
            let left = pollster::block_on($crate::support::one(async { drop($job) }));
            assert_eq!(left, $event);
        }
    )*};
}
pub(crate) use leave;

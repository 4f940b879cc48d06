//! Runs a job and lists its events, for the test crates beside this one.
//!
//! Each of them uses the framework in a different setting: a single dependency, another edition, no
//! prelude. They share the catalog of the tests, which is found in a parent folder.

use std::future::Future;
use std::time::Duration;

use audit_core::{Actor, BuildError, MemorySink, Recorder};

/// Runs a job in a scope and returns its events, each as `action type:id,.. outcome`.
///
/// # Errors
/// If the recorder cannot be built.
pub fn events_of(job: impl Future) -> Result<Vec<String>, BuildError> {
    let sink = MemorySink::new();
    let recorder = Recorder::builder(sink.clone())
        .fallback_organization("org_1")
        .build()?;
    pollster::block_on(async {
        drop(recorder.scope().actor(Actor::user("user_1")).run(job).await);
        let _report = recorder.shutdown(Duration::from_secs(10)).await;
    });
    let events = sink.take();
    let shown = events.iter().map(|event| {
        let targets: Vec<_> = event
            .targets()
            .map(|target| format!("{}:{}", target.kind(), target.id()))
            .collect();
        let (action, outcome) = (event.action(), event.outcome());
        format!("{action} {} {outcome}", targets.join(","))
    });
    Ok(shown.collect())
}

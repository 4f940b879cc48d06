//! Runs a job and shows the events that it left, for the crates beside this one.
//!
//! Each of them is a user of the framework in surroundings that differ: one dependency, another
//! edition, no prelude. They share the catalog of the tests, which is found by walking up.

use std::future::Future;
use std::time::Duration;

use audit_core::{Actor, BuildError, MemorySink, Recorder};

/// Runs a job under a recorder and shows the events that it left, each as
/// `action type:id,.. outcome`.
///
/// # Errors
/// When the recorder cannot be built.
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

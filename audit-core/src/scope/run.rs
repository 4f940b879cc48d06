//! Running a job inside a scope and settling the scope at the job's end.

use std::future::Future;

use super::scope::Scope;
use super::settle::SettleOnDrop;

impl Scope {
    /// Runs a job inside the scope and settles the scope at the job's end, also on a panic or a
    /// drop.
    ///
    /// It then waits until the job's durable events are on disk, for at most the recorder's
    /// [deadline](crate::RecorderBuilder::durable_deadline).
    pub async fn run<F: Future>(self, job: F) -> F::Output {
        // Declared first, so that it is dropped after the job.
        let settle = SettleOnDrop(self.clone());
        let output = self.in_scope(job).await;
        settle.now().await;
        output
    }

    /// Runs a synchronous job inside the scope and settles the scope at its end, also on a panic.
    ///
    /// It blocks the thread until durable events are on disk, with the deadline of [`Scope::run`].
    /// Inside a runtime, call it where blocking is permitted, as in `spawn_blocking`.
    ///
    /// A closure delimits the job rather than a guard: a guard could outlive its job or be held
    /// over an await, and the next job on the thread would be attributed to this one.
    ///
    /// ```
    /// use audit_core::{Actor, MemorySink, Recorder};
    ///
    /// let recorder = Recorder::builder(MemorySink::new()).build()?;
    /// let removed = recorder
    ///     .scope()
    ///     .actor(Actor::service("clean-up"))
    ///     .organization("org_1")
    ///     .run_sync(|| 7 /* audited functions in here belong to the job */);
    /// assert_eq!(removed, 7);
    /// # recorder.shutdown_blocking(std::time::Duration::from_secs(5));
    /// # Ok::<_, audit_core::BuildError>(())
    /// ```
    pub fn run_sync<R>(self, job: impl FnOnce() -> R) -> R {
        // Declared first, so that it is dropped after the job.
        let settle = SettleOnDrop(self.clone());
        let output = self.enter(job);
        settle.now().wait_blocking();
        output
    }
}

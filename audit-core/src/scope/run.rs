//! Running a job inside a scope and settling the scope at the job's end.

use std::future::Future;

use super::scope::Scope;
use super::settle::SettleOnDrop;

impl Scope {
    /// Runs a job inside the scope and records what ended in it, also when the job panics or is
    /// dropped. Then waits until its durable events are on the disk, for a second unless the
    /// recorder's [deadline](crate::RecorderBuilder::durable_deadline) is another.
    pub async fn run<F: Future>(self, job: F) -> F::Output {
        // Declared first, so that it is dropped after the job.
        let settle = SettleOnDrop(self.clone());
        let output = self.in_scope(job).await;
        settle.now().await;
        output
    }

    /// Runs a job that is not async inside the scope and records what ended in it, also when the
    /// job panics. It blocks the thread until durable events are on the disk, as [`Scope::run`]
    /// waits.
    ///
    /// A closure marks the ends of the job, and not a guard to be held: a guard could outlive its
    /// job or be held over an await, and the next job on the thread would act in the name of this
    /// one.
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
        settle.now().wait();
        output
    }
}

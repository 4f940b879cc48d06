//! Setting up and starting a recorder.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

#[cfg(feature = "testing")]
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};

use super::build_error::{BuildError, BuildErrorKind, NoEnvironment};
use super::recorder::Recorder;
use crate::catalog::{Action, EmbeddedCatalog, EmbeddedCoalesce, Versions};
use crate::delivery::{
    Coalescer, DeadLetter, DeadLetters, Dispatcher, DispatcherThread, DurableAppends, DurableRules,
    EventDefaults, Gaps, Hook, LogLimits, Pipeline, Queue, Setup, Spool, Timer, start,
};
use crate::event::OrganizationId;
use crate::sink::{DynSink, Sink};
use crate::telemetry::{AgeLimits, Counters, HealthClock, HealthTracker, Observer};

/// The default number of undelivered events: about 45 seconds of what the service takes per key
/// (6,000 a minute, [WorkOS: rate limits](https://workos.com/docs/reference/rate-limits)).
const CAPACITY: usize = 4_096;
/// The largest capacity: the queue allocates all its places at the start.
const MOST_EVENTS: usize = 1 << 20;
/// The default number of bytes of undelivered events.
const MAX_BYTES: usize = 32 * 1024 * 1024;
/// The default number of attempts in flight.
const CONCURRENCY: usize = 32;
/// The ages of the oldest undelivered event from which health changes, unless the builder sets
/// others.
const LATE_AFTER: Duration = Duration::from_secs(60);
const OVERDUE_AFTER: Duration = Duration::from_secs(3_600);
/// The longest time of one attempt, unless the builder sets another.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(60);
/// The default deadline of a durable event.
const DURABLE_DEADLINE: Duration = Duration::from_secs(1);
/// The number of flushes and shutdowns that may be requested before the next caller waits.
const COMMANDS: usize = 64;

/// A builder of a [`Recorder`].
///
/// Every setting has a default, so `Recorder::builder(sink).build()` is complete.
#[must_use]
pub struct RecorderBuilder {
    name: String,
    sink: Arc<dyn DynSink>,
    capacity: usize,
    max_bytes: usize,
    concurrency: usize,
    attempt_timeout: Duration,
    age_limits: AgeLimits,
    copies: Vec<Recorder>,
    gap_action: Option<Action>,
    on_dead_letter: Option<Hook>,
    verify_catalog: bool,
    spool: Option<Spool>,
    durable_deadline: Duration,
    fallback_organization: Option<OrganizationId>,
    catalog: Option<EmbeddedCatalog>,
    environment: Option<String>,
    observer: Option<Arc<dyn Observer>>,
}

impl Recorder {
    /// Returns a builder of a recorder that delivers to `sink`.
    pub fn builder(sink: impl Sink) -> RecorderBuilder {
        RecorderBuilder::new(sink)
    }
}

impl RecorderBuilder {
    pub(super) fn new(sink: impl Sink) -> Self {
        Self {
            name: "main".to_owned(),
            sink: Arc::new(sink),
            capacity: CAPACITY,
            max_bytes: MAX_BYTES,
            concurrency: CONCURRENCY,
            attempt_timeout: ATTEMPT_TIMEOUT,
            age_limits: AgeLimits {
                late: LATE_AFTER,
                overdue: OVERDUE_AFTER,
            },
            copies: Vec::new(),
            gap_action: None,
            on_dead_letter: None,
            verify_catalog: false,
            spool: None,
            durable_deadline: DURABLE_DEADLINE,
            fallback_organization: None,
            catalog: None,
            environment: None,
            observer: None,
        }
    }

    /// Sets the name of this recorder in metrics; default `main`.
    ///
    /// Give each recorder of a process a name of its own.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Sets the number of events that may be undelivered at once; default 4,096, from 1 to
    /// 1,048,576.
    ///
    /// Further events go to the spool if there is one; otherwise `record` returns them.
    pub fn capacity(mut self, events: usize) -> Self {
        self.capacity = events.clamp(1, MOST_EVENTS);
        self
    }

    /// Sets the bytes that undelivered events may occupy; default 32 MiB.
    ///
    /// Further events go to the spool if there is one; otherwise `record` returns them.
    pub fn max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// Sets the number of attempts that may be in flight at once; default 32, at least 1.
    ///
    /// The dispatcher uses fewer while the sink is rate limited or down. The rate of attempts is
    /// the sink's own setting ([`Sink::rate_limit`]).
    pub fn concurrency(mut self, attempts: usize) -> Self {
        self.concurrency = attempts.max(1);
        self
    }

    /// Sets the age of the oldest undelivered event from which health is degraded; default one
    /// minute.
    ///
    /// While the sink has asked for a pause, a greater age is no problem of its own.
    pub fn late_after(mut self, age: Duration) -> Self {
        self.age_limits.late = age;
        self
    }

    /// Sets the age of the oldest undelivered event from which health is unhealthy; default one
    /// hour.
    pub fn overdue_after(mut self, age: Duration) -> Self {
        self.age_limits.overdue = age;
        self
    }

    /// Sets the longest time that one attempt may take; default 60 s.
    ///
    /// An attempt that takes longer is dropped, and its event is retried: the sink may have
    /// accepted it. A sink that blocks its thread cannot be interrupted; health reports it.
    pub fn attempt_timeout(mut self, limit: Duration) -> Self {
        self.attempt_timeout = limit;
        self
    }

    /// Keeps on disk the events that exceed the bounds on memory, those left at a shutdown's
    /// deadline, and dead letters.
    ///
    /// Events that an earlier process left in the file are delivered. The recorder closes the spool
    /// when it is shut down. A spool serves one recorder; a second one with the same spool is an
    /// error of [`build`](Self::build).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("audit.spool");
    /// use audit_core::testing::FaultSink;
    /// use audit_core::{Actor, Event, MemorySink, Recorder, Spool};
    /// use std::time::Duration;
    ///
    /// let away = FaultSink::new(MemorySink::new()).hang();
    /// let recorder = Recorder::builder(away).spool(Spool::open(&path)?).build()?;
    /// recorder.record(Event::builder("document.delete").actor(Actor::system()).build()?)?;
    /// let report = recorder.shutdown(Duration::from_millis(100)).await;
    /// assert_eq!((report.lost, report.spooled), (0, 1));
    ///
    /// // The next process:
    /// let sink = MemorySink::new();
    /// let recorder = Recorder::builder(sink.clone()).spool(Spool::open(&path)?).build()?;
    /// assert_eq!(recorder.stats().recovered, 1);
    /// # while sink.events().is_empty() { recorder.flush(Duration::from_millis(20)).await; }
    /// # recorder.shutdown(Duration::from_secs(5)).await;
    /// # assert_eq!(recorder.stats().spooled, 0);
    /// # Ok(()) }
    /// ```
    #[cfg(feature = "spool")]
    pub fn spool(mut self, spool: Spool) -> Self {
        self.spool = Some(spool);
        self
    }

    /// Sends a copy of every event to another recorder, whether this one accepts it or not.
    ///
    /// The other recorder has its own queue, thread, bounds, counts and health, so a slow or broken
    /// sink there never delays this recorder, and vice versa. Events that it refuses are counted
    /// and logged there. A copy costs the caller one allocation. Flush and shut down the other
    /// recorder separately.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use audit_core::{Actor, Event, MemorySink, Recorder};
    /// use std::time::Duration;
    ///
    /// let (main, archive) = (MemorySink::new(), MemorySink::new());
    /// let copies = Recorder::builder(archive.clone()).build()?;
    /// let recorder = Recorder::builder(main.clone()).copy_to(&copies).build()?;
    ///
    /// recorder.record(Event::builder("document.delete").actor(Actor::system()).build()?)?;
    /// recorder.shutdown(Duration::from_secs(5)).await;
    /// copies.shutdown(Duration::from_secs(5)).await;
    /// assert_eq!(main.events()[0].id(), archive.events()[0].id());
    /// # Ok(()) }
    /// ```
    pub fn copy_to(mut self, other: &Recorder) -> Self {
        self.copies.push(other.clone());
        self
    }

    /// Sets the action under which a gap in the trail is reported as an event.
    ///
    /// A gap is the events that were refused because the queue was full, and then lost
    /// ([`Stats::dropped`](crate::Stats::dropped)). Without this action, gaps are only counted.
    ///
    /// Once half of the queue is free, each organization gets one event for its gap. The actor is
    /// the system; the one target has the type `audit_log` and the organization as its id. `count`
    /// in the metadata is the number of missing events, `first_at` the time of the first; the
    /// event's time is that of the last. The catalog needs the action:
    ///
    /// ```toml
    /// [action."audit.gap"]
    /// targets = ["audit_log"]
    /// ```
    ///
    /// ```ignore
    /// Recorder::builder(sink).gap_action(action!("audit.gap"))
    /// ```
    pub fn gap_action(mut self, action: Action) -> Self {
        self.gap_action = Some(action);
        self
    }

    /// Sets a hook for each event that was rejected for good, and for each that is lost at a
    /// shutdown's deadline ([`Fault::is_lost`](crate::Fault::is_lost)).
    ///
    /// The hook runs on the dispatcher's thread, which delivers nothing meanwhile, so it must be
    /// quick. A panic in the hook is caught and logged. [`Recorder::flush`] and
    /// [`Recorder::shutdown`] return at once in the hook, without waiting.
    ///
    /// At a shutdown the report comes first, and the hook is called for the lost events
    /// afterwards, in the last quarter of the deadline (half a second at most, and at least). A
    /// shutdown waits for the hook until its deadline. What the hook was not called for by then is
    /// counted in a log line.
    pub fn on_dead_letter(mut self, hook: impl Fn(&DeadLetter) + Send + Sync + 'static) -> Self {
        self.on_dead_letter = Some(Arc::new(hook));
        self
    }

    /// Asks the sink at the start whether it knows every action of the catalog.
    ///
    /// While it does not, [`Recorder::health`] is degraded and a log line names the missing
    /// actions; events are recorded and delivered meanwhile. Requires [`RecorderBuilder::catalog`].
    pub fn verify_catalog(mut self) -> Self {
        self.verify_catalog = true;
        self
    }

    /// Sets the organization of events that name none.
    ///
    /// Without a fallback, such an event becomes a dead letter.
    pub fn fallback_organization(mut self, organization: impl Into<OrganizationId>) -> Self {
        self.fallback_organization = Some(organization.into());
        self
    }

    /// Sets the application's catalog.
    ///
    /// The recorder needs it for [`RecorderBuilder::environment`] and
    /// [`RecorderBuilder::verify_catalog`], for actions that are `durable`, and for actions with
    /// `coalesce` ([`EmbeddedCoalesce`]), whose events are delivered one by one without it. Durable
    /// actions require a spool; with the catalog they are durable also where no macro names them,
    /// as in audit by route.
    ///
    /// ```
    /// use audit_core::{MemorySink, Recorder, catalog};
    ///
    /// // audit.lock, beside audit.toml:
    /// // [environment.production]
    /// // "document.delete" = { version = 3, fingerprint = "sha256:.." }
    /// let recorder = Recorder::builder(MemorySink::new()).catalog(catalog!()).environment("production").build()?;
    /// # Ok::<_, audit_core::BuildError>(())
    /// ```
    pub fn catalog(mut self, catalog: EmbeddedCatalog) -> Self {
        self.catalog = Some(catalog);
        self
    }

    /// Sets the environment, by its name in `audit.lock`, whose schema versions events are written
    /// for.
    ///
    /// Each event of an action that the lock lists for this environment is sent with that version,
    /// unless the event has one; the service does not choose the newest schema by itself ([editing
    /// events](https://workos.com/docs/audit-logs/editing-events)). An action that the lock does
    /// not list is sent without a version.
    pub fn environment(mut self, name: impl Into<String>) -> Self {
        self.environment = Some(name.into());
        self
    }

    /// Starts the dispatcher's thread and returns the recorder.
    ///
    /// # Errors
    ///
    /// - The lock does not list the environment, or there is no catalog
    ///   ([`BuildError::is_unknown_environment`]).
    /// - Actions of the catalog are durable and there is no spool
    ///   ([`BuildError::is_without_spool`]).
    /// - The spool belongs to another recorder or was closed (`BuildError::is_spool_taken`).
    /// - `verify_catalog` is set and there is no catalog.
    /// - The operating system provides no thread, or no timer and I/O driver for the runtime.
    pub fn build(mut self) -> Result<Recorder, BuildError> {
        // Before the check, which claims the spool.
        let timer = Timer::start()?;
        let versions = self.check()?;
        let (recorder, dispatcher) = self.assemble_with(versions, timer);
        let thread = start(dispatcher).inspect_err(|_| {
            #[cfg(feature = "spool")]
            if let Some(spool) = &recorder.handle.pipeline.spool {
                spool.release_claim();
            }
        })?;
        *recorder
            .handle
            .pipeline
            .dispatcher
            .handle
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(thread);
        Ok(recorder)
    }

    /// Starts the dispatcher as a task of the caller's runtime instead of a thread of its own.
    ///
    /// This is for tests under Tokio's paused clock, where an hour of outage takes no time. The
    /// dispatcher ends with that runtime.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(async {
    /// use audit_core::testing::FaultSink;
    /// use audit_core::{Actor, Event, Fault, MemorySink, Recorder};
    /// use std::time::Duration;
    ///
    /// let minute = Duration::from_secs(60);
    /// let busy = Fault::rate_limited("too many requests").after(Some(minute));
    /// let sink = FaultSink::new(MemorySink::new()).fault_times(1, busy);
    /// let recorder = Recorder::builder(sink.clone()).build_in_runtime()?;
    /// recorder.record(Event::builder("document.delete").actor(Actor::system()).build()?)?;
    /// assert_eq!(recorder.flush(minute).await.pending, 1);
    /// assert_eq!(recorder.flush(minute).await.delivered, 1);
    /// # Ok::<_, Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// As [`RecorderBuilder::build`].
    ///
    /// # Panics
    ///
    /// Outside a Tokio runtime.
    #[cfg(feature = "testing")]
    pub fn build_in_runtime(mut self) -> Result<Recorder, BuildError> {
        let versions = self.check()?;
        let timer = Timer::Runtime(Handle::current());
        let (recorder, mut dispatcher) = self.assemble_with(versions, timer);
        drop(tokio::spawn(async move { dispatcher.run().await }));
        Ok(recorder)
    }

    /// Sets how long a request, a job or a call waits for its durable events to be on disk; default
    /// one second.
    ///
    /// At the deadline the caller continues, the events are counted in
    /// [`Stats::deadline_exceeded`](crate::Stats::deadline_exceeded) and still written, and health
    /// is unhealthy for a minute.
    pub fn durable_deadline(mut self, deadline: Duration) -> Self {
        self.durable_deadline = deadline;
        self
    }

    /// Sets the observer of accepted events.
    #[cfg(feature = "testing")]
    pub(crate) fn observed_by(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = Some(observer);
        self
    }

    /// Returns the durable actions of the catalog, sorted.
    fn durable(&self) -> Vec<&'static str> {
        let actions = self.catalog.iter().flat_map(EmbeddedCatalog::actions);
        let durable = actions.filter(|action| action.is_durable());
        durable.map(|action| action.name().as_str()).collect()
    }

    /// Returns the coalescing rules of the catalog, by action.
    fn rules(&self) -> HashMap<&'static str, EmbeddedCoalesce> {
        let actions = self.catalog.iter().flat_map(EmbeddedCatalog::actions);
        let rules = actions.filter_map(|action| Some((action.name().as_str(), action.coalesce()?)));
        rules.collect()
    }

    /// Checks that durable actions have a spool.
    fn check_durable(&self) -> Result<(), BuildError> {
        let names = self.durable();
        if names.is_empty() || self.spool.is_some() {
            return Ok(());
        }
        let actions = format!("`{}`", names.join("`, `"));
        Err(BuildErrorKind::NoSpool { actions }.into())
    }

    /// Checks the settings against each other, and returns the schema versions.
    fn check(&mut self) -> Result<Versions, BuildError> {
        let versions = self.versions()?;
        self.check_durable()?;
        if self.verify_catalog && self.catalog.is_none() {
            return Err(BuildErrorKind::NothingToVerify.into());
        }
        // The last check, since nothing releases the spool after another error.
        #[cfg(feature = "spool")]
        if let Some(spool) = &self.spool {
            spool.claim()?;
        }
        Ok(versions)
    }

    fn versions(&mut self) -> Result<Versions, BuildError> {
        let Some(environment) = self.environment.take() else {
            return Ok(&[]);
        };
        let Some(catalog) = &self.catalog else {
            return Err(NoEnvironment::WithoutCatalog { environment }.into());
        };
        catalog.versions(&environment).ok_or_else(|| {
            let known: Vec<_> = catalog.environments().collect();
            let error = if known.is_empty() {
                NoEnvironment::WithoutLock { environment }
            } else {
                let known = format!("`{}`", known.join("`, `"));
                NoEnvironment::Unknown { environment, known }
            };
            error.into()
        })
    }

    /// Returns the recorder and its dispatcher, which the caller has to run. Ignores the
    /// environment.
    #[cfg(test)]
    pub(crate) fn assemble(self) -> (Recorder, Dispatcher) {
        let timer = match tokio::runtime::Handle::try_current() {
            Ok(runtime) => Timer::Runtime(runtime),
            Err(_) => Timer::start().unwrap(),
        };
        self.assemble_with(&[], timer)
    }

    fn assemble_with(self, versions: Versions, timer: Timer) -> (Recorder, Dispatcher) {
        let clock = match timer {
            Timer::Runtime(_) => HealthClock::Runtime,
            Timer::Thread(_) => HealthClock::Real,
        };
        let (commands, receiver) = mpsc::channel(COMMANDS);
        let (end, ended) = watch::channel(());
        let durable = self.durable();
        let coalescer = Coalescer::new(self.rules(), self.capacity, self.max_bytes);
        let pipeline = Arc::new(Pipeline {
            name: self.name,
            queue: Queue::new(self.capacity, self.max_bytes),
            spool: self.spool,
            counters: Counters::default(),
            durable_appends: DurableAppends::default(),
            health_tracker: HealthTracker::new(clock, self.age_limits),
            rate_limit: self.sink.rate_limit(),
            dead_letters: DeadLetters::default(),
            on_dead_letter: self.on_dead_letter,
            gaps: Gaps::new(self.gap_action),
            defaults: EventDefaults {
                fallback_organization: self.fallback_organization,
                versions,
            },
            durable: DurableRules {
                actions: durable,
                deadline: self.durable_deadline,
            },
            dispatcher: DispatcherThread::new(ended),
            timer,
            logs: LogLimits::new(),
            observer: self.observer,
        });
        let actions = match self.catalog {
            Some(catalog) if self.verify_catalog => catalog.actions(),
            _ => &[],
        };
        let actions = actions.iter().map(|action| action.name().as_str());
        if let Some(spool) = &pipeline.spool {
            pipeline.counters.recovered.add(spool.recovered());
            #[cfg(feature = "spool")]
            {
                // A weak reference, since the recorder owns the spool.
                let pipeline = Arc::downgrade(&pipeline);
                spool.serve_redrive_requests(move |again| {
                    if let Some(pipeline) = pipeline.upgrade() {
                        pipeline.count_redriven(again);
                    }
                });
            }
        }
        let dispatcher = Dispatcher::new(Setup {
            pipeline: Arc::clone(&pipeline),
            sink: self.sink,
            commands: receiver,
            concurrency: self.concurrency,
            attempt_timeout: self.attempt_timeout,
            actions_to_verify: actions.collect(),
            coalescer,
            ended: end,
        });
        (Recorder::new(pipeline, self.copies, commands), dispatcher)
    }
}

impl fmt::Debug for RecorderBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecorderBuilder")
            .field("capacity", &self.capacity)
            .field("max_bytes", &self.max_bytes)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::catalog::EmbeddedAction;
    use crate::event::{Actor, Event};
    use crate::sink::MemorySink;

    const CATALOG: EmbeddedCatalog = EmbeddedCatalog::new(
        &[],
        &[],
        &[
            ("production", &[("document.delete", 3)]),
            ("staging", &[("document.delete", 9)]),
        ],
    );

    #[tokio::test]
    async fn locked_actions_get_their_version_unless_the_event_has_one() {
        let sink = MemorySink::new();
        let builder = Recorder::builder(sink.clone()).catalog(CATALOG);
        let recorder = builder.environment("production").build().unwrap();
        let event = |action| Event::builder(action).actor(Actor::system());
        let events = [
            event("document.delete"),
            event("document.delete").version(7),
            event("document.share"),
        ];
        for event in events {
            recorder.record(event.build().unwrap()).unwrap();
        }
        recorder.flush(Duration::from_secs(5)).await;
        let versions: Vec<_> = sink.events().iter().map(Event::version).collect();
        assert_eq!(versions, [Some(3), Some(7), None]);
    }

    #[test]
    fn durable_actions_require_a_spool() {
        let action = |name, durable| EmbeddedAction::new(name, None, &[], None, durable, None, &[]);
        let actions = vec![
            action("api_key.list", false),
            action("api_key.revoke", true),
            action("user.delete", true),
        ];
        let catalog = EmbeddedCatalog::new(actions.leak(), &[], &[]);
        let builder = Recorder::builder(MemorySink::new()).catalog(catalog);
        let error = builder.build().unwrap_err();
        assert!(error.is_without_spool());
        assert_eq!(
            error.to_string(),
            "durable actions of the catalog require a spool: `api_key.revoke`, `user.delete`; give the recorder one, as in \
             `.spool(Spool::open(\"/var/lib/service/audit.spool\")?)` (feature `spool`), or take `durable` out of audit.toml"
        );
    }

    #[test]
    fn contradictory_settings_are_errors_whose_debug_output_is_their_text() {
        let builder = || Recorder::builder(MemorySink::new());
        let error = builder().verify_catalog().build().unwrap_err();
        assert_eq!(format!("{error:?}"), format!("BuildError({error})"));
        assert!(error.to_string().starts_with("there is no catalog"));
        assert!(builder().capacity(usize::MAX).build().is_ok());
    }

    #[test]
    fn an_unknown_environment_is_an_error_that_names_the_known_ones() {
        let builder = || Recorder::builder(MemorySink::new()).environment("prod");
        let empty = EmbeddedCatalog::new(&[], &[], &[]);
        for (builder, message) in [
            (
                builder().catalog(CATALOG),
                "audit.lock has no environment `prod`; it has `production`, `staging`",
            ),
            (
                builder().catalog(empty),
                "the catalog has no audit.lock, so no environment `prod`",
            ),
            (
                builder(),
                "there is no catalog to look up the environment `prod` in; add `.catalog(catalog!())`",
            ),
        ] {
            let error = builder.build().unwrap_err();
            assert!(error.is_unknown_environment());
            assert!(error.to_string().starts_with(message), "{error}");
        }
        assert!(
            Recorder::builder(MemorySink::new())
                .catalog(CATALOG)
                .build()
                .is_ok()
        );
    }
}

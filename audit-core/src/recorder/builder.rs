//! How a recorder is set up and started.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

#[cfg(feature = "testing")]
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use super::build_error::{BuildError, Cause, NoEnvironment};
use super::recorder::Recorder;
use crate::catalog::{Action, EmbeddedCatalog, EmbeddedCoalesce, Versions};
use crate::delivery;
use crate::delivery::{
    Coalescer, DeadLetter, DeadLetters, Dispatcher, Gaps, Hook, Logs, Queue, Shared, Spool,
};
use crate::event::OrganizationId;
use crate::sink::{DynSink, Sink};
use crate::telemetry::{Condition, Counters, Observer};

/// How many events may be undelivered at once unless told otherwise: about three quarters of a
/// minute of what the service takes per key (6,000 a minute, [WorkOS: rate
/// limits](https://workos.com/docs/reference/rate-limits)).
const CAPACITY: usize = 4_096;
/// How many may be asked for at most: the queue has all its places from the start.
const MOST_EVENTS: usize = 1 << 20;
/// How many bytes they may occupy unless told otherwise.
const MAX_BYTES: usize = 32 * 1024 * 1024;
/// How many attempts may be in flight at once unless told otherwise.
const CONCURRENCY: usize = 32;
/// How long a durable event is waited for unless told otherwise.
const DURABLE_DEADLINE: Duration = Duration::from_secs(1);
/// How many flushes and shutdowns may ask at once before the next has to wait.
const COMMANDS: usize = 64;

/// Sets up a [`Recorder`].
#[must_use]
pub struct RecorderBuilder {
    name: String,
    sink: Arc<dyn DynSink>,
    capacity: usize,
    max_bytes: usize,
    concurrency: usize,
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
    /// Starts a recorder that delivers to a sink.
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

    /// What this recorder is called in metrics; `main` unless set. Of several in a process each
    /// should have its own.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// How many events may be undelivered at once; 4,096 unless set, and between 1 and 1,048,576.
    /// Beyond, events go to the spool if there is one, and else `record` hands them back.
    pub fn capacity(mut self, events: usize) -> Self {
        self.capacity = events.clamp(1, MOST_EVENTS);
        self
    }

    /// How many bytes undelivered events may occupy; 32 MiB unless set. Beyond, events go to the
    /// spool if there is one, and else `record` hands them back.
    pub fn max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// How many attempts may be in flight at once; 32 unless set, at least 1. Fewer are while the
    /// sink asks for less, or is down. The pace is the sink's own ([`Sink::pace`]).
    pub fn concurrency(mut self, attempts: usize) -> Self {
        self.concurrency = attempts.max(1);
        self
    }

    /// Keeps on disk what finds no room in memory, what is left at a shutdown's deadline, and dead
    /// letters. What an earlier process left there is delivered. The recorder closes the spool when
    /// it is shut down.
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

    /// Gives a copy of every event to another recorder as well, whether this one accepts it or not.
    ///
    /// The other has its own queue, thread, bounds, counts and health, so a slow or broken sink
    /// there holds up nothing here, and the other way round. What it refuses is counted and logged
    /// there. The copy costs the caller one allocation. It is flushed and shut down by itself.
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

    /// The action under which a gap in the trail is told: events that were refused because the
    /// queue was full, and that nobody kept ([`Stats::dropped`](crate::Stats::dropped)). Without
    /// it, gaps are only counted.
    ///
    /// Once half of the queue is free again, each organization gets one event for its gap: the
    /// actor is the system, the one target has the type `audit_log` and the organization as its id,
    /// `count` in the metadata is how many events are missing, `first_at` is when the first was
    /// dropped, and the event's time is when the last was. The catalog needs the action:
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

    /// Calls this with each event that was refused for good, and with each that is lost at a
    /// shutdown's deadline ([`Fault::is_lost`](crate::Fault::is_lost)): the last chance to write it
    /// somewhere.
    ///
    /// It runs on the dispatcher's thread, which delivers nothing meanwhile, so it should be quick.
    /// A panic inside is caught and logged.
    pub fn on_dead_letter(mut self, hook: impl Fn(&DeadLetter) + Send + Sync + 'static) -> Self {
        self.on_dead_letter = Some(Arc::new(hook));
        self
    }

    /// Asks the sink at the start whether it knows every action of the catalog;
    /// [`Recorder::health`] is yellow and a log line says so while it does not. Events are recorded
    /// and delivered meanwhile.
    ///
    /// Needs [`RecorderBuilder::catalog`].
    pub fn verify_catalog(mut self) -> Self {
        self.verify_catalog = true;
        self
    }

    /// Whose log an event goes to that names no organization. Without it, such an event becomes a
    /// dead letter.
    pub fn fallback_organization(mut self, organization: impl Into<OrganizationId>) -> Self {
        self.fallback_organization = Some(organization.into());
        self
    }

    /// The application's catalog: for [`RecorderBuilder::environment`], for
    /// [`RecorderBuilder::verify_catalog`], for the actions that it calls `durable`, and for those
    /// with `coalesce` ([`EmbeddedCoalesce`]), which go singly without it. Durable actions need a
    /// spool, and with the catalog they are durable also where no macro knows them, as in audit by
    /// route.
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

    /// The environment whose schema versions events are written for, by its name in `audit.lock`.
    ///
    /// Each event of an action that the lock has for this environment is sent with that version,
    /// unless it has one; the service does not take the newest schema by itself ([editing
    /// events](https://workos.com/docs/audit-logs/editing-events)). An action that is not in the
    /// lock is sent without.
    pub fn environment(mut self, name: impl Into<String>) -> Self {
        self.environment = Some(name.into());
        self
    }

    /// Starts the dispatcher's thread.
    ///
    /// # Errors
    ///
    /// The lock does not have the environment, or there is no catalog to look it up in
    /// ([`BuildError::is_unknown_environment`]); actions of the catalog are durable and there is no
    /// spool ([`BuildError::is_without_spool`]); the catalog is to be verified and there is none;
    /// the operating system gives no thread, or no timer and I/O driver for the runtime.
    pub fn build(mut self) -> Result<Recorder, BuildError> {
        let versions = self.check()?;
        let (recorder, dispatcher) = self.assemble_with(versions);
        let thread = delivery::start(dispatcher)?;
        *recorder
            .handle
            .shared
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(thread);
        Ok(recorder)
    }

    /// Starts the dispatcher as a task of the runtime that the caller is in, and not on a thread of
    /// its own: for tests under Tokio's paused clock, where an hour of outage takes no time. It
    /// ends with that runtime.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(async {
    /// use audit_core::testing::FaultSink;
    /// use audit_core::{Actor, Event, Fault, MemorySink, Recorder};
    /// use std::time::Duration;
    ///
    /// let minute = Duration::from_secs(60);
    /// let busy = Fault::limited("too many requests").after(Some(minute));
    /// let sink = FaultSink::new(MemorySink::new()).answer_times(1, busy);
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
        let (recorder, mut dispatcher) = self.assemble_with(versions);
        recorder.handle.shared.set_clock(&Handle::current());
        drop(tokio::spawn(async move { dispatcher.run().await }));
        Ok(recorder)
    }

    /// How long a request, a job or a call waits until its durable events are on the disk; a second
    /// unless set. Past it they go on, the events are counted as [late](crate::Stats::late) and
    /// written all the same, and health is red for a minute.
    pub fn durable_deadline(mut self, deadline: Duration) -> Self {
        self.durable_deadline = deadline;
        self
    }

    /// Tells a test of everything that is accepted.
    #[cfg(feature = "testing")]
    pub(crate) fn observed_by(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = Some(observer);
        self
    }

    /// The actions of the catalog that ask for the disk, sorted.
    fn durable(&self) -> Vec<&'static str> {
        let actions = self.catalog.iter().flat_map(EmbeddedCatalog::actions);
        let durable = actions.filter(|action| action.is_durable());
        durable.map(|action| action.name().as_str()).collect()
    }

    /// Which events of the catalog's actions stand for each other in a flood.
    fn rules(&self) -> HashMap<&'static str, EmbeddedCoalesce> {
        let actions = self.catalog.iter().flat_map(EmbeddedCatalog::actions);
        let rules = actions.filter_map(|action| Some((action.name().as_str(), action.coalesce()?)));
        rules.collect()
    }

    /// Whether those that ask for the disk have one.
    fn check_durable(&self) -> Result<(), BuildError> {
        let names = self.durable();
        if names.is_empty() || self.spool.is_some() {
            return Ok(());
        }
        let actions = format!("`{}`", names.join("`, `"));
        Err(Cause::NoSpool { actions }.into())
    }

    /// Whether all that is asked for can be had.
    fn check(&mut self) -> Result<Versions, BuildError> {
        let versions = self.versions()?;
        self.check_durable()?;
        if self.verify_catalog && self.catalog.is_none() {
            return Err(Cause::NothingToVerify.into());
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

    /// The recorder and its dispatcher, which the caller has to run. The environment is not looked
    /// at.
    #[cfg(test)]
    pub(crate) fn assemble(self) -> (Recorder, Dispatcher) {
        self.assemble_with(&[])
    }

    fn assemble_with(self, versions: Versions) -> (Recorder, Dispatcher) {
        let (commands, receiver) = mpsc::channel(COMMANDS);
        let durable = self.durable();
        let coalescer = Coalescer::new(self.rules(), self.capacity, self.max_bytes);
        let shared = Arc::new(Shared {
            name: self.name,
            queue: Queue::new(self.capacity, self.max_bytes),
            counters: Counters::default(),
            dead_letters: DeadLetters::default(),
            condition: Condition::new(),
            pace: self.sink.pace(),
            gaps: Gaps::default(),
            gap_action: self.gap_action,
            final_report: OnceLock::new(),
            spool: self.spool.clone(),
            on_dead_letter: self.on_dead_letter,
            fallback_organization: self.fallback_organization,
            versions,
            durable,
            durable_deadline: self.durable_deadline,
            clock: Mutex::new(None),
            thread: Mutex::new(None),
            logs: Logs::new(),
            observer: self.observer,
        });
        let actions = match self.catalog {
            Some(catalog) if self.verify_catalog => catalog.actions(),
            _ => &[],
        };
        let actions = actions.iter().map(|action| action.name().as_str());
        if let Some(spool) = &self.spool {
            shared.counters.recovered.add(spool.recovered());
            #[cfg(feature = "spool")]
            {
                // The spool is the recorder's, and does not keep it.
                let shared = Arc::downgrade(&shared);
                spool.on_requests(move |again| {
                    if let Some(shared) = shared.upgrade() {
                        shared.redriven(again);
                    }
                });
            }
        }
        let dispatcher = Dispatcher::new(
            Arc::clone(&shared),
            self.sink,
            self.spool,
            receiver,
            self.concurrency,
            actions.collect(),
            coalescer,
        );
        (Recorder::new(shared, self.copies, commands), dispatcher)
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
    async fn an_event_of_a_locked_action_has_its_version_unless_it_has_one() {
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
    fn a_catalog_that_asks_for_the_disk_needs_one() {
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
            "events that the catalog calls durable need a disk to be kept on, for `api_key.revoke`, `user.delete`: give the \
             recorder a spool, as in `.spool(Spool::open(\"audit.spool\")?)` (feature `spool`), or take `durable` out of audit.toml"
        );
    }

    #[test]
    fn settings_that_cannot_work_are_errors_and_a_main_that_returns_one_shows_its_text() {
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

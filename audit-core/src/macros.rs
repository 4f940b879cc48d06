//! The function-like macros.
//!
//! Each passes `$crate` on, so that the paths in its expansion resolve through the facade from
//! which it was called.

/// Returns the [`Action`](crate::Action) of a name, checked against the catalog at compile time.
///
/// The macro can be used in a constant.
///
/// ```
/// use audit_core::{Action, action};
///
/// // audit.toml:
/// // [action."document.delete"]
/// // targets = ["document"]
/// const DELETE: Action = action!("document.delete");
/// assert_eq!(DELETE, "document.delete");
/// ```
///
/// # Errors
///
/// A name that is not in the catalog is a compile error; a deprecated one is a warning.
///
/// ```compile_fail
/// audit_core::action!("document.delet");
/// ```
#[macro_export]
macro_rules! action {
    ($($name:tt)*) => { $crate::private::macros::action! { $crate, $($name)* } };
}

/// Embeds the catalog and its lock, or declares a constant for each action.
///
/// As an expression, it returns the crate's [`EmbeddedCatalog`](crate::EmbeddedCatalog), for
/// [`RecorderBuilder::catalog`](crate::RecorderBuilder::catalog):
///
/// ```
/// use audit_core::{EmbeddedCatalog, catalog};
///
/// const CATALOG: EmbeddedCatalog = catalog!();
/// assert_eq!(CATALOG.action("document.delete").map(|action| action.targets()[0].name()), Some("document"));
/// ```
///
/// As an item, it declares a module with a constant of the type [`Action`](crate::Action) for each
/// action, so that editors complete the names. The constant of `document.delete` is
/// `DOCUMENT_DELETE`: upper case, with `_` for characters that a Rust name cannot contain. Its
/// documentation is the action's `summary`. The module has the attributes and the visibility that
/// are written before it:
///
/// ```
/// use audit_core::{audited, catalog};
///
/// catalog! {
///     /// The actions of this service.
///     pub mod actions;
/// }
///
/// #[audited(action = actions::DOCUMENT_DELETE, target = "id")]
/// fn delete(id: u64) {}
///
/// assert_eq!(actions::DOCUMENT_DELETE, "document.delete");
/// ```
///
/// A change of the catalog or its lock recompiles the crate. Cargo does not notice a lock that is
/// written for the first time, because it watches only files that existed before; change
/// `audit.toml` or run `cargo clean` to recompile.
///
/// # Errors
///
/// A missing catalog, and mistakes in the catalog or its lock, are compile errors; mistakes are
/// reported with line and column. A missing lock counts as an empty one.
#[macro_export]
macro_rules! catalog {
    ($($item:tt)*) => { $crate::private::macros::catalog! { $crate, $($item)* } };
}

/// Records an event at this point of the code, checked against the catalog at compile time.
///
/// Use it for an operation that is not a function of its own, such as a step of a job or an item of
/// a batch.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use audit_core::{Actor, MemorySink, Outcome, Recorder, record};
/// use std::time::Duration;
///
/// let sink = MemorySink::new();
/// let recorder = Recorder::builder(sink.clone()).build()?;
/// let retention = async {
///     for id in [1, 2] {
///         record!("document.delete", target(document = id));
///     }
///     record!("document.delete", target(document = 3), outcome = Outcome::Failed);
/// };
/// recorder.scope().actor(Actor::service("retention")).organization("org_1").run(retention).await;
///
/// recorder.shutdown(Duration::from_secs(5)).await;
/// let outcomes: Vec<_> = sink.events().iter().map(|event| event.outcome()).collect();
/// assert_eq!(outcomes, [Outcome::Succeeded, Outcome::Succeeded, Outcome::Failed]);
/// # Ok(()) }
/// ```
///
/// # Arguments
///
/// The first argument is the action: its name, or its constant (`actions::DOCUMENT_DELETE`, see
/// [`catalog!`](crate::catalog!)). The others are those of `#[audited]`, in any order and with the
/// same types: `target(type = id)`, `metadata(key = value)`, `actor = principal`,
/// `organization = id`. `outcome = value` sets the [`Outcome`](crate::Outcome), which is
/// `Succeeded` by default.
///
/// # Behavior
///
/// The event is complete immediately, but is buffered in the scope until the response is known, as
/// the event of an audited function is. Outside of any scope, the installed recorder records it.
/// Without a recorder, no expression is evaluated; the call is counted in
/// [`unrecorded`](crate::unrecorded()), and each call site logs one line with the remedy. An event
/// that the recorder refuses is counted and logged. The macro has the type `()`, and never fails.
///
/// # Waiting
///
/// The macro does not wait, unless the event is durable (by the argument `durable`, or by its
/// action in the catalog) and is recorded immediately: outside of any scope, or in one that was
/// settled before. On a thread of a Tokio runtime, one of `spawn_blocking` included, it does not
/// wait then either; an event that misses the
/// [deadline](crate::RecorderBuilder::durable_deadline) is counted, and still written. On any other
/// thread it blocks until the event is on disk, for at most that deadline. To wait in async code,
/// use `record_durable!` (feature `spool`).
#[macro_export]
macro_rules! record {
    ($($arguments:tt)*) => { $crate::private::macros::record! { $crate, $($arguments)* } };
}

/// Records an event immediately, as [`record!`](crate::record!) does, and returns the error.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use audit_core::{Actor, MemorySink, Recorder, try_record};
///
/// let error = try_record!("document.delete", target(document = 1)).unwrap_err();
/// assert!(error.is_without_recorder());
///
/// let recorder = Recorder::builder(MemorySink::new()).build()?;
/// let id = recorder.scope().actor(Actor::system()).enter(|| try_record!("document.delete", target(document = 1)))?;
/// println!("recorded as {id}");
/// # Ok(()) }
/// ```
///
/// Returns a `Result<EventId, TryRecordError>`. `Ok` means accepted, not delivered. It waits for a
/// durable event only where [`record!`](crate::record!#waiting) does. Inside a scope, the event is
/// not buffered until the scope is settled. It is recorded immediately, with the actor,
/// organization and context that the scope knows so far, and the status of the response does not
/// change its outcome.
///
/// # Errors
///
/// Returns a [`TryRecordError`](crate::TryRecordError) if there is no recorder, the queue is full,
/// or the recorder was shut down.
#[macro_export]
macro_rules! try_record {
    ($($arguments:tt)*) => { $crate::private::macros::try_record! { $crate, $($arguments)* } };
}

/// Writes an event to disk, checked as by [`record!`](crate::record!), and returns a future that is
/// ready when the event is there.
///
/// Use it where the code must not continue before the event is certain to survive the process.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("audit.spool");
/// use audit_core::{Actor, MemorySink, Recorder, Spool, record_durable};
///
/// let recorder = Recorder::builder(MemorySink::new()).spool(Spool::open(&path)?).build()?;
/// let retention = async {
///     record_durable!("document.delete", target(document = 1)).await
///     // .. and only then the document itself.
/// };
/// let id = recorder.scope().actor(Actor::service("retention")).organization("org_1").run(retention).await?;
/// println!("{id} is on disk");
/// assert_eq!(recorder.stats().accepted, 1);
/// # recorder.shutdown(std::time::Duration::from_secs(5)).await;
/// # Ok(()) }
/// ```
///
/// The arguments are those of `record!`. The future has the output `Result<EventId,
/// TryRecordError>`; `Ok` means on disk. It owns what it needs, so it can be sent to another task,
/// and `Handle::block_on` waits for it on a thread of `spawn_blocking`. As with
/// [`try_record!`](crate::try_record!), the event is recorded with the actor, organization and
/// context that the scope knows so far.
///
/// The wait has no deadline: wrap it in `tokio::time::timeout` for one.
///
/// # Errors
///
/// Returns a [`TryRecordError`](crate::TryRecordError) if there is no recorder, or the event is not
/// on disk and never will be: the recorder has no spool, the spool is at its bound or was closed,
/// or the disk refused the write. The event is inside the error.
///
/// # Cancellation
///
/// The event is given to the spool by the call, not by the first poll. If the future is dropped,
/// the event stays accepted and is written, as with `Recorder::record_durable`.
#[cfg(feature = "spool")]
#[macro_export]
macro_rules! record_durable {
    ($($arguments:tt)*) => { $crate::private::macros::record_durable! { $crate, $($arguments)* } };
}

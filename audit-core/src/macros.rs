//! The macros that look like functions. Each passes `$crate` on, so that what they write finds its
//! way through whichever facade they were reached.

/// The name of an action, checked against the catalog while the crate compiles: a constant of the
/// type [`Action`](crate::Action).
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
/// A name that the catalog does not have does not compile; a deprecated one is a warning.
///
/// ```compile_fail
/// audit_core::action!("document.delet");
/// ```
#[macro_export]
macro_rules! action {
    ($($name:tt)*) => { $crate::private::macros::action! { $crate, $($name)* } };
}

/// Embeds the catalog and its lock, or makes a constant of each action.
///
/// As an expression, it is the [`EmbeddedCatalog`](crate::EmbeddedCatalog) of the crate, for
/// [`RecorderBuilder::catalog`](crate::RecorderBuilder::catalog):
///
/// ```
/// use audit_core::{EmbeddedCatalog, catalog};
///
/// const CATALOG: EmbeddedCatalog = catalog!();
/// assert_eq!(CATALOG.action("document.delete").map(|action| action.targets()[0].name()), Some("document"));
/// ```
///
/// As an item, it is a module with a constant of the type [`Action`](crate::Action) for each
/// action, which editors complete. Its documentation is the action's `summary`. `document.delete`
/// is `DOCUMENT_DELETE`: upper case, and `_` for what Rust does not allow in a name. The module has
/// the attributes and the visibility that are written:
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
/// When the catalog or its lock changes, the crate is compiled again. A lock that is written for
/// the first time is not noticed by cargo, which watches only files that were there; compile again
/// by a change of `audit.toml`, or `cargo clean`.
///
/// # Errors
///
/// A catalog that is missing, and mistakes in it or in its lock, with line and column. A missing
/// lock is an empty one.
#[macro_export]
macro_rules! catalog {
    ($($item:tt)*) => { $crate::private::macros::catalog! { $crate, $($item)* } };
}

/// Records an event where it stands, checked against the catalog while the crate compiles.
///
/// For what is not the call of a function: a step of a job, an item of a batch.
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
/// The action first: its name, or its constant (`actions::DOCUMENT_DELETE`, see
/// [`catalog!`](crate::catalog!)). Then, in any order, what `#[audited]` takes, with the same
/// types: `target(type = id)`, `metadata(key = value)`, `actor = principal`, `organization = id`;
/// and `outcome = value`, an [`Outcome`](crate::Outcome), else the event is of a success.
///
/// # What happens
///
/// The event is complete at once, but waits in the scope as the event of an audited function does,
/// until the answer is known. Outside of any scope the installed recorder takes it. Without one, no
/// expression is evaluated; the call is counted in [`unrecorded`](crate::unrecorded()), and one
/// line of the log per call site says what to do. When the recorder refuses the event, that is
/// counted and logged. The macro is of the type `()`, and never fails, blocks or waits.
#[macro_export]
macro_rules! record {
    ($($arguments:tt)*) => { $crate::private::macros::record! { $crate, $($arguments)* } };
}

/// [`record!`](crate::record!) for callers that want to know: records at once, and returns the
/// error.
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
/// The value is a `Result<EventId, TryRecordError>`. `Ok` means accepted, not delivered. Inside a
/// scope the event does not wait for the scope to be settled: it is recorded at once, with the
/// actor, organization and context that the scope knows by then, and the status of the answer does
/// not change its outcome.
///
/// # Errors
///
/// There is no recorder, the queue is full, or the recorder was shut down; see
/// [`TryRecordError`](crate::TryRecordError).
#[macro_export]
macro_rules! try_record {
    ($($arguments:tt)*) => { $crate::private::macros::try_record! { $crate, $($arguments)* } };
}

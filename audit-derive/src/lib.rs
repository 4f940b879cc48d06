//! The macros of the audit framework. Use them through the facade for your framework (`audit_core`,
//! `audit_tower`, `audit_actix`), which exports them beside the types they need.
//!
//! [`macro@audited`] records one event per call of a function, [`macro@unaudited`] states why a
//! function needs none. Their companions `record!`, `try_record!`, `record_durable!`, `action!` and
//! `catalog!` are documented where they are exported, in `audit_core`. All of them are checked at
//! compile time against the catalog of the application, [`audit.toml`](audit_catalog).
//!
//! # Where the catalog is found
//!
//! 1. The file that the environment variable `AUDIT_CATALOG` names; a relative path starts at the
//!    folder of the crate's `Cargo.toml`.
//! 2. Else `audit.toml` beside the crate's `Cargo.toml`.
//! 3. Else `audit.toml` in one of the folders above, up to the root of the workspace: the nearest
//!    folder whose `Cargo.toml` has a `[workspace]`. Nothing above it is read, and nothing above a
//!    crate that is in no workspace.
//!
//! When the file changes, cargo recompiles the crates that use it. A long-lived process, as in an
//! editor, reads it at each expansion and parses it again if its text has changed. A macro *never*
//! runs a program, writes a file, or uses the network.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod action;
mod audited;
mod catalog;
mod embed;
mod errors;
mod function;
mod function_like;
mod parsing;
mod record;
#[cfg(test)]
mod snapshot;
mod unaudited;

use proc_macro::TokenStream;

/// Records one audit event for each call of a function.
///
/// ```
/// use audit_core::{Actor, MemorySink, Outcome, Recorder};
/// use audit_derive::audited; // in a service: `use audit_core::audited`
/// use std::time::Duration;
///
/// struct Share {
///     user_id: u64,
///     role: String,
/// }
///
/// // audit.toml:
/// // [action."document.share"]
/// // targets = ["document", "user"]
/// // [action."document.share".metadata]
/// // role  = "string"
/// // pages = "number?"
/// #[audited(
///     action = "document.share",
///     target(document = doc_id),
///     target(user = share.user_id),
///     metadata(role = share.role, pages = pages.len()),
/// )]
/// async fn share(doc_id: String, share: Share, pages: Vec<u32>) -> Result<usize, String> {
///     if share.role == "owner" {
///         return Err(format!("{doc_id} has an owner"));
///     }
///     Ok(pages.len())
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let sink = MemorySink::new();
/// let recorder = Recorder::builder(sink.clone()).fallback_organization("org_1").build()?;
/// let share_as = |role: &str| share("doc_1".to_owned(), Share { user_id: 7, role: role.to_owned() }, vec![1, 2]);
/// let scope = || recorder.scope().actor(Actor::user("user_1"));
///
/// assert_eq!(scope().run(share_as("editor")).await, Ok(2));
/// assert!(scope().run(share_as("owner")).await.is_err());
///
/// recorder.shutdown(Duration::from_secs(5)).await;
/// let events = sink.events();
/// assert_eq!(events.len(), 2);
/// assert_eq!(events[0].action(), "document.share");
/// assert_eq!(events[0].outcome(), Outcome::Succeeded);
/// assert_eq!(events[1].outcome(), Outcome::Failed);
/// let targets: Vec<_> = events[1].targets().map(|target| (target.kind(), target.id())).collect();
/// assert_eq!(targets, [("document", "doc_1"), ("user", "7")]);
/// # Ok(()) }
/// ```
///
/// It applies to async and sync functions, methods, trait functions with a body, functions that
/// return a future, and the functions of an `#[async_trait]` block. The function keeps its
/// signature, attributes, visibility and errors, and needs no bound on its types.
///
/// # Arguments
///
/// Separated by commas, in any order; values are captured in the order they are written.
///
/// | argument | | |
/// | --- | --- | --- |
/// | `action = "document.share"` | once | the name of an action of the catalog, as a string literal; or its constant, `actions::DOCUMENT_SHARE`, which `catalog! { pub mod actions; }` makes |
/// | `target = "doc_id"` | any number | the id of a target, by name: a parameter, a name inside a pattern (`Path(doc_id)`, `Json(Body { id, .. })`), or fields of one (`body.id`, `self.tenant`, `pair.0`). The type is the one the catalog allows |
/// | `target(document = expression)` | any number | the id of a target of that type; needed when the catalog allows several types |
/// | `target(document = .., name = .., metadata(size = ..))` | | with a name shown to readers of the log, and metadata of the target as the catalog's `[target.document.metadata]` declares it |
/// | `target(user in collection)` | any number | one target per item of a value with an `iter()`; if there are more than the service accepts on one event (20), the event is split, and each part repeats the single targets |
/// | `metadata(role = expression, ..)` | any number | metadata of the event, each key once |
/// | `metadata(url = display(expression))` | | text through `Display`, for types that are no text. To call a function named `display`, write `self::display(..)` |
/// | `actor = expression` | once | a `Principal`, instead of the actor of the scope |
/// | `organization = expression` | once | the organization, instead of that of the scope |
/// | `on = [succeeded, denied]` | once | the outcomes that are recorded: `succeeded`, `denied`, `failed`, `panicked`, `abandoned`; all by default |
/// | `error = display` | once | records the text of an error, through `Display`, as the event's metadata `error` |
/// | `event = ev` | once | provides `ev: &mut Draft` in the body, for values known only there; not in a function that returns a future |
/// | `durable` | once | the event is on disk before the caller continues, as with `durable = true` in the catalog for all events of an action; an async function awaits the write at its end, unless a layer or a scope's `run` waits instead; a sync one blocks then, except on a thread of a Tokio runtime, where nothing waits and an event that misses the deadline is counted; not for an action with `coalesce` |
/// | `outcome = path` | once | a function from a reference to the returned value to `Outcome`, instead of the outcome derived from the value |
/// | `catalog = "path"` | once | another catalog; a relative path starts at the folder of the crate's `Cargo.toml` |
/// | `crate = path` | once | the facade, when the dependency was renamed |
///
/// In an expression, `ok` is the value of a successful result, by reference:
/// `target(document = ok.id)`. It is read after the function has returned successfully. Otherwise
/// the metadata is omitted and the target's id is `unresolved`: a failed creation is still an
/// event. If the function has a parameter named `ok`, that parameter is used instead.
///
/// A target type or a metadata key that is not a Rust identifier is written as a string:
/// `target("api-key" = key.id)`. At least one target is required, and all metadata that is not
/// optional in the catalog.
///
/// # Captured values
///
/// Only the named values are captured. Each expression that does not mention `ok` is evaluated
/// once, on entry, before the body can move or change a value. It is used by shared reference, and
/// its value is written into the event immediately, so that no borrow is kept. Without a recorder
/// (no scope, none installed) no expression is evaluated, except in functions that return a future,
/// because the scope of its first poll is unknown at the call. `?`, `return` and `.await` are
/// rejected in an expression: auditing *never* leaves the function and *never* makes it wait.
///
/// Ids and values of the catalog's kind `string` are text (`&str`, `String`, `Uuid` and types that
/// implement `AuditText`), ids also whole numbers; `number` takes integers and floats, `boolean`
/// takes `bool`. An `Option` that is `None` omits the value.
///
/// # Outcomes
///
/// | the function | the outcome |
/// | --- | --- |
/// | returns | derived from the value: a type that implements `AuditOutcome`, a `Result`, an HTTP response or status, or `unknown` until a web layer sets it |
/// | panics | `panicked`; the panic continues |
/// | is async, and its future is dropped before it finished | `abandoned` |
/// | is async, and its future was never polled | no event, because it never began |
///
/// If the outcome is `denied` and the catalog names another action under `denied`, the event is
/// recorded under that action.
///
/// # Functions that return a future
///
/// For a function that is not async and returns a future, the event is recorded when that future
/// completes, not when it is created. Such a function is recognized by the return type as it is
/// written: `impl Future<Output = R>` in any order of bounds, `Pin<Box<dyn Future>>`,
/// `Box<dyn Future + Unpin>`, and `BoxFuture` and `LocalBoxFuture` by their names. Behind another
/// name, such as `Self::Future`, it is recognized by the end of its body, if that is
/// `Box::pin(async ..)`, `async {..}.boxed()` or `.boxed_local()`. Any other future, such as a
/// `JoinHandle` or one behind an alias that another function made, is a value: the event records
/// the outcome of the call.
///
/// Values are captured at the call, before the body runs. The scope is that of the first poll, as
/// in an async function; if there is none, that of the call. A panic before the future is created
/// is `panicked`. The future is stored once: an `impl Future` grows by the event, a boxed one moves
/// into a second box.
///
/// A function under `#[async_trait]` is expanded to such a function too, but keeps its single box,
/// and captures values at the first poll. Put `#[audited]` on the functions inside the block; names
/// inside patterns and `self` have the same meaning as in the source.
///
/// If an audited function calls another, both record an event.
///
/// # Limits of the expansion
///
/// The body becomes an inner `async move` block, or a closure that is called once. The compiler
/// still shows errors in the body at their position, lints apply to it, and a future stays `Send`
/// if it was.
/// Arguments that the body mentions, those whose names begin with `_`, and a `self` by value are
/// dropped at the end of the body, before the event closes, but not always in the reverse order of
/// their declaration. Parameters written `_`, and others that the body does not mention, are
/// dropped after it: give a lock or a transaction a name. In a `#[track_caller]` function that is
/// not async, the caller's location is not visible inside the body.
///
/// # Errors
///
/// A deprecated action is a warning at each use. All mistakes of one attribute are reported at
/// once, each at its position and with the most similar valid name; the function is kept, so that
/// its callers compile. Reported are: an action, target type, metadata key, argument or parameter
/// that does not exist; metadata that is missing, reserved, given twice or of another kind; a
/// missing target; a catalog that is missing (with a sample) or invalid (each mistake with file,
/// line and column).
///
/// `const fn` and declarations without a body are rejected.
#[proc_macro_attribute]
pub fn audited(attribute: TokenStream, item: TokenStream) -> TokenStream {
    audited::fallback::attribute("audit_core", attribute.into(), item.into(), catalog::load).into()
}

/// [`macro@audited`] for crates that depend on `audit_tower`, which exports it under that name.
#[doc(hidden)]
#[proc_macro_attribute]
pub fn audited_tower(attribute: TokenStream, item: TokenStream) -> TokenStream {
    audited::fallback::attribute("audit_tower", attribute.into(), item.into(), catalog::load).into()
}

/// [`macro@audited`] for crates that depend on `audit_actix`, which exports it under that name.
#[doc(hidden)]
#[proc_macro_attribute]
pub fn audited_actix(attribute: TokenStream, item: TokenStream) -> TokenStream {
    audited::fallback::attribute("audit_actix", attribute.into(), item.into(), catalog::load).into()
}

/// States that calls of a function need no audit event, and the reason.
///
/// It is meant for a handler of POST, PUT, PATCH or DELETE that changes nothing relevant to an
/// auditor: a search, a preview, a log-in form. A request to such a handler is not reported as
/// unaudited, and the report of `audit_core::testing` lists its route with the reason.
///
/// ```
/// use audit_core::web::{RequestAudit, RequestHead, AuditConfig, OnUnaudited};
/// use audit_core::{MemorySink, Recorder};
/// use audit_derive::unaudited; // in a service: `use audit_core::unaudited`
/// # use http::StatusCode;
/// # struct Request;
/// # impl RequestHead for Request {
/// #     fn method(&self) -> &str { "POST" }
/// #     fn header<'a>(&'a self, _: &'a str) -> impl Iterator<Item = &'a [u8]> { std::iter::empty() }
/// #     fn peer(&self) -> Option<std::net::IpAddr> { None }
/// # }
///
/// #[unaudited(reason = "a search changes nothing")]
/// async fn search(query: &str) -> usize {
///     query.len()
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), audit_core::BuildError> {
/// let recorder = Recorder::builder(MemorySink::new()).build()?;
/// // A web layer handles `POST /search` like this:
/// let mut call = RequestAudit::open(&AuditConfig::new(recorder.clone()).on_unaudited(OnUnaudited::Fail), &Request);
/// assert_eq!(call.scope().clone().in_scope(search("plan")).await, 4);
/// call.settle(StatusCode::OK, Some("/search"));
/// assert_eq!(recorder.stats().unaudited, 0);
/// # Ok(()) }
/// ```
///
/// It applies to async and sync functions, methods, functions that return a future, and the
/// functions of an `#[async_trait]` block. The function is unchanged, except for one statement
/// before its body, which marks the [scope](../audit_core/struct.Scope.html#method.exempt) of the
/// running task. It runs when the body begins: at the first poll of an async function, at the call
/// of a function that returns a future. Outside of any scope it does nothing. Events that the body
/// records, such as those of audited functions it calls, are kept.
///
/// # Arguments
///
/// | argument | |
/// | --- | --- |
/// | `reason = "a search changes nothing"` | the reason; required, and not empty |
/// | `crate = path` | the facade, when the dependency was renamed |
///
/// # Errors
///
/// All mistakes are reported at once, each at its position: a missing or empty reason, an unknown
/// argument, one that is given twice, an item that is not a function with a body, a `const fn`, and
/// `#[audited]` on the same function under its own name.
#[proc_macro_attribute]
pub fn unaudited(attribute: TokenStream, item: TokenStream) -> TokenStream {
    unaudited::expand("audit_core", attribute.into(), item.into()).into()
}

/// [`macro@unaudited`] for crates that depend on `audit_tower`, which exports it under that name.
#[doc(hidden)]
#[proc_macro_attribute]
pub fn unaudited_tower(attribute: TokenStream, item: TokenStream) -> TokenStream {
    unaudited::expand("audit_tower", attribute.into(), item.into()).into()
}

/// [`macro@unaudited`] for crates that depend on `audit_actix`, which exports it under that name.
#[doc(hidden)]
#[proc_macro_attribute]
pub fn unaudited_actix(attribute: TokenStream, item: TokenStream) -> TokenStream {
    unaudited::expand("audit_actix", attribute.into(), item.into()).into()
}

/// The implementation of `audit_core::action!`, which has the documentation.
#[doc(hidden)]
#[proc_macro]
pub fn action(input: TokenStream) -> TokenStream {
    action::expand(input.into(), &catalog::load(None)).into()
}

/// The implementation of `audit_core::catalog!`, which has the documentation.
#[doc(hidden)]
#[proc_macro]
pub fn catalog(input: TokenStream) -> TokenStream {
    embed::expand(input.into(), &catalog::load(None)).into()
}

/// The implementation of `audit_core::record!`, which has the documentation.
#[doc(hidden)]
#[proc_macro]
pub fn record(input: TokenStream) -> TokenStream {
    record::expand(record::Form::Record, input.into(), &catalog::load(None)).into()
}

/// The implementation of `audit_core::try_record!`, which has the documentation.
#[doc(hidden)]
#[proc_macro]
pub fn try_record(input: TokenStream) -> TokenStream {
    record::expand(record::Form::Try, input.into(), &catalog::load(None)).into()
}

/// The implementation of `audit_core::record_durable!`, which has the documentation.
#[doc(hidden)]
#[proc_macro]
pub fn record_durable(input: TokenStream) -> TokenStream {
    record::expand(record::Form::Durable, input.into(), &catalog::load(None)).into()
}

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

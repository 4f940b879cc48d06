//! Assertion macros. Their argument names are checked at compile time.

/// Asserts that exactly one event has the given fields, and returns it.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use audit_core::{Actor, assert_audited, record, testing};
///
/// let capture = testing::capture();
/// let job = async {
///     for id in [1, 2] {
///         record!("document.delete", target(document = id));
///     }
/// };
/// capture.scope().actor(Actor::service("retention")).organization("org_1").run(job).await;
///
/// let events = capture.events();
/// let first = assert_audited!(
///     events,
///     action = "document.delete",
///     target(document = 1),
///     actor(service = "retention")
/// );
/// assert_eq!(first.organization(), Some("org_1"));
/// assert_audited!(events, organization = "org_1", outcome = succeeded, count = 2);
/// # }
/// ```
///
/// # Arguments
///
/// First the events: [`Events`](crate::testing::Events), a `Vec<Event>` such as
/// [`MemorySink::events`](crate::MemorySink::events) returns, or any other `AsRef<[Event]>`. Then,
/// in any order:
///
/// | argument | requires |
/// | --- | --- |
/// | `action = "document.delete"` | this action. A literal has to be in the catalog; any other expression, also `(expression)`, is a string or an [`Action`](crate::Action) and is not checked |
/// | `target(document = id)` | a target of this type and id; may be repeated. A type that is not a Rust identifier is quoted: `"api-key"` |
/// | `target = id` | a target of this id, of any type |
/// | `outcome = succeeded` | this outcome: `succeeded`, `denied`, `failed`, `panicked`, `abandoned`, or an [`Outcome`](crate::Outcome) |
/// | `actor(user = id)` | an actor of this kind (`user`, `service`, `api_key`, `system`, `anonymous`, `unresolved`) and id |
/// | `actor = id` | an actor of this id, of any kind |
/// | `organization = id` | this organization |
/// | `location = address` | this location, as printed by `Display` |
/// | `metadata(key = value, ..)` | these values, also those that the framework sets, such as `status = 204`; other keys are ignored. `None` requires that the key is absent |
/// | `count = 2` | that many events instead of one; the macro returns a `Vec<Event>` |
///
/// Without `count` exactly one event has to match: two fail as none does.
///
/// # Panics
///
/// If more or fewer events match. The message shows the nearest event with the fields that differ,
/// and lists all events.
///
/// # Errors
///
/// An unknown argument, or another form of one, does not compile:
///
/// ```compile_fail
/// audit_core::assert_audited!(Vec::<audit_core::Event>::new(), aktion = "document.delete");
/// ```
#[macro_export]
macro_rules! assert_audited {
    ($events:expr $(, $($fields:tt)*)?) => {
        $crate::__assert_audited!((one) [$events] [$crate::testing::Expected::new()] $($($fields)*)? ,)
    };
}

/// Asserts that no event has the given fields; without fields, that there is no event at all.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use audit_core::{assert_not_audited, record, testing};
///
/// let capture = testing::capture();
/// assert_not_audited!(capture.events());
/// capture.run(async { record!("document.delete", target(document = 1)) }).await;
/// assert_not_audited!(capture.events(), action = "document.delete", target(document = 2));
/// # }
/// ```
///
/// The arguments are those of [`assert_audited!`](crate::assert_audited!) except `count`. A literal
/// action has to be in the catalog, so that a misspelt action cannot pass.
///
/// # Panics
///
/// If an event matches. The message lists all events.
#[macro_export]
macro_rules! assert_not_audited {
    ($events:expr $(, $($fields:tt)*)?) => {
        $crate::__assert_audited!((never) [$events] [$crate::testing::Expected::new()] $($($fields)*)? ,)
    };
}

/// Asserts that each route of a list produces an event, or gives a reason why not.
///
/// The argument is a [`Coverage`](crate::testing::Coverage): of one capture
/// ([`Capture::coverage`](crate::testing::Capture::coverage)), or of a run of many processes
/// ([`testing::coverage`](crate::testing::coverage())).
///
/// # Panics
///
/// If a route is not covered, or was exercised and is not in the list; the message names each, with
/// the remedy, and contains the whole report. If the report cannot be made.
///
/// ```no_run
/// use audit_core::{assert_covered, testing};
///
/// let capture = testing::capture();
/// // Serve with `capture.recorder()` and send a request to each route; then:
/// assert_covered!(capture.coverage(&[("DELETE", "/documents/{doc_id}")]));
/// ```
#[macro_export]
macro_rules! assert_covered {
    ($coverage:expr $(,)?) => {
        $crate::testing::assert_covered(&$coverage)
    };
}

/// Parses the arguments one by one: `(check) [events] [expected so far] arguments,`.
#[doc(hidden)]
#[macro_export]
macro_rules! __assert_audited {
    ((one) [$events:expr] [$expected:expr] $(,)*) => {
        $expected.one(::core::convert::AsRef::<[$crate::Event]>::as_ref(&$events))
    };
    ((times $count:expr) [$events:expr] [$expected:expr] $(,)*) => {
        $expected.times(::core::convert::AsRef::<[$crate::Event]>::as_ref(&$events), $count)
    };
    ((never) [$events:expr] [$expected:expr] $(,)*) => {
        $expected.never(::core::convert::AsRef::<[$crate::Event]>::as_ref(&$events))
    };
    ($check:tt $events:tt [$($so_far:tt)*] action = ($action:expr), $($rest:tt)*) => {
        $crate::__assert_audited!($check $events [$($so_far)*.action($action)] $($rest)*)
    };
    ($check:tt $events:tt [$($so_far:tt)*] action = $action:ident, $($rest:tt)*) => {
        $crate::__assert_audited!($check $events [$($so_far)*.action($action)] $($rest)*)
    };
    ($check:tt $events:tt [$($so_far:tt)*] action = $action:tt, $($rest:tt)*) => {
        $crate::__assert_audited!($check $events [$($so_far)*.action($crate::action!($action))] $($rest)*)
    };
    ($check:tt $events:tt [$($so_far:tt)*] action = $action:expr, $($rest:tt)*) => {
        $crate::__assert_audited!($check $events [$($so_far)*.action($action)] $($rest)*)
    };
    ($check:tt $events:tt [$($so_far:tt)*] target($kind:tt = $id:expr $(,)?), $($rest:tt)*) => {
        $crate::__assert_audited!(
            $check $events [$($so_far)*.target($crate::__assert_audited!(@name $kind), &$id)] $($rest)*
        )
    };
    ($check:tt $events:tt [$($so_far:tt)*] target = $id:expr, $($rest:tt)*) => {
        $crate::__assert_audited!($check $events [$($so_far)*.any_target(&$id)] $($rest)*)
    };
    ($check:tt $events:tt [$($so_far:tt)*] outcome = succeeded, $($rest:tt)*) => {
        $crate::__assert_audited!($check $events [$($so_far)*.outcome($crate::Outcome::Succeeded)] $($rest)*)
    };
    ($check:tt $events:tt [$($so_far:tt)*] outcome = denied, $($rest:tt)*) => {
        $crate::__assert_audited!($check $events [$($so_far)*.outcome($crate::Outcome::Denied)] $($rest)*)
    };
    ($check:tt $events:tt [$($so_far:tt)*] outcome = failed, $($rest:tt)*) => {
        $crate::__assert_audited!($check $events [$($so_far)*.outcome($crate::Outcome::Failed)] $($rest)*)
    };
    ($check:tt $events:tt [$($so_far:tt)*] outcome = panicked, $($rest:tt)*) => {
        $crate::__assert_audited!($check $events [$($so_far)*.outcome($crate::Outcome::Panicked)] $($rest)*)
    };
    ($check:tt $events:tt [$($so_far:tt)*] outcome = abandoned, $($rest:tt)*) => {
        $crate::__assert_audited!($check $events [$($so_far)*.outcome($crate::Outcome::Abandoned)] $($rest)*)
    };
    ($check:tt $events:tt [$($so_far:tt)*] outcome = $outcome:expr, $($rest:tt)*) => {
        $crate::__assert_audited!($check $events [$($so_far)*.outcome($outcome)] $($rest)*)
    };
    ($check:tt $events:tt [$($so_far:tt)*] actor($kind:ident = $id:expr $(,)?), $($rest:tt)*) => {
        $crate::__assert_audited!($check $events [$($so_far)*.actor(::core::stringify!($kind), &$id)] $($rest)*)
    };
    ($check:tt $events:tt [$($so_far:tt)*] actor = $id:expr, $($rest:tt)*) => {
        $crate::__assert_audited!($check $events [$($so_far)*.any_actor(&$id)] $($rest)*)
    };
    ($check:tt $events:tt [$($so_far:tt)*] organization = $id:expr, $($rest:tt)*) => {
        $crate::__assert_audited!($check $events [$($so_far)*.organization(&$id)] $($rest)*)
    };
    ($check:tt $events:tt [$($so_far:tt)*] location = $location:expr, $($rest:tt)*) => {
        $crate::__assert_audited!($check $events [$($so_far)*.location(&$location)] $($rest)*)
    };
    ($check:tt $events:tt [$($so_far:tt)*] metadata($($key:tt = $value:expr),* $(,)?), $($rest:tt)*) => {
        $crate::__assert_audited!(
            $check $events [$($so_far)*$(.metadata($crate::__assert_audited!(@name $key), &$value))*] $($rest)*
        )
    };
    ((one) $events:tt $so_far:tt count = $count:expr, $($rest:tt)*) => {
        $crate::__assert_audited!((times $count) $events $so_far $($rest)*)
    };
    (@name $name:literal) => { $name };
    (@name $name:ident) => { ::core::stringify!($name) };
    ((never) $events:tt $so_far:tt count $($rest:tt)*) => {
        ::core::compile_error!("`assert_not_audited!` takes no `count`: it requires that no event matches; `assert_audited!` takes one")
    };
    ($check:tt $events:tt $so_far:tt $other:tt $($rest:tt)*) => {
        ::core::compile_error!(::core::concat!(
            "unknown argument `", ::core::stringify!($other), "`; there are `action = name`, `target(type = id)`, ",
            "`target = id`, `outcome = succeeded`, `actor(kind = id)`, `actor = id`, `organization = id`, `location = address`, ",
            "`metadata(key = value)` and `count = number`"
        ))
    };
}

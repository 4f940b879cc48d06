//! The assertions. Their arguments are checked by name while the test compiles.

/// Asserts that exactly one event has the fields that are written, and gives it back.
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
/// let first = assert_audited!(events, action = "document.delete", target(document = 1), actor(service = "retention"));
/// assert_eq!(first.organization(), Some("org_1"));
/// assert_audited!(events, organization = "org_1", outcome = succeeded, count = 2);
/// # }
/// ```
///
/// # Arguments
///
/// The events first: [`Events`](crate::testing::Events), a `Vec<Event>` such as
/// [`MemorySink::events`](crate::MemorySink::events) gives, or anything else that is
/// `AsRef<[Event]>`. Then, in any order:
///
/// | argument | the event has |
/// | --- | --- |
/// | `action = "document.delete"` | this action. A literal has to be in the catalog; any other expression is a string or an [`Action`](crate::Action) and taken as it is, also `(expression)` |
/// | `target(document = id)` | a target of this type and id; any number of times. A type that is no Rust name is written `"api-key"` |
/// | `target = id` | a target of this id, whatever its type |
/// | `outcome = succeeded` | this outcome: `succeeded`, `denied`, `failed`, `panicked`, `abandoned`, or an [`Outcome`](crate::Outcome) |
/// | `actor(user = id)` | an actor of this kind (`user`, `service`, `api_key`, `system`, `anonymous`, `unresolved`) and id |
/// | `actor = id` | an actor of this id, whatever its kind |
/// | `organization = id` | this organization |
/// | `location = address` | this location, as its `Display` prints it |
/// | `metadata(key = value, ..)` | these values, also those that the framework sets, such as `status = 204`; other keys may be there too. `None` says that the key is not there |
/// | `count = 2` | no field: there have to be that many events, and the value is a `Vec<Event>` |
///
/// Without `count` exactly one event has to be like this; two are as wrong as none.
///
/// # Panics
///
/// When there are more or fewer. The message names the nearest event with the fields that differ,
/// and lists all.
///
/// # Errors
///
/// Another argument, or another form, does not compile:
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

/// Asserts that no event has the fields that are written; without any field, that there is no event
/// at all.
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
/// The arguments are those of [`assert_audited!`](crate::assert_audited!) but for `count`. An
/// action in quotes has to be in the catalog, so that a misspelt one cannot pass.
///
/// # Panics
///
/// When there is such an event. The message lists all.
#[macro_export]
macro_rules! assert_not_audited {
    ($events:expr $(, $($fields:tt)*)?) => {
        $crate::__assert_audited!((never) [$events] [$crate::testing::Expected::new()] $($($fields)*)? ,)
    };
}

/// Asserts that each route of a list leaves an event, or says why not.
///
/// The argument is a [`Coverage`](crate::testing::Coverage): of one capture
/// ([`Capture::coverage`](crate::testing::Capture::coverage)), or of a run of many processes
/// ([`testing::coverage`](crate::testing::coverage())).
///
/// # Panics
///
/// When a route is not covered, or was exercised and is not in the list; the message names each,
/// with what to do, and has the whole report. When the report cannot be made.
#[macro_export]
macro_rules! assert_covered {
    ($coverage:expr $(,)?) => {
        $crate::testing::assert_covered(&$coverage)
    };
}

/// Takes the arguments one by one: `(check) [events] [expected so far] arguments,`.
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
        ::core::compile_error!("`assert_not_audited!` takes no `count`: it wants no event at all; `assert_audited!` takes one")
    };
    ($check:tt $events:tt $so_far:tt $other:tt $($rest:tt)*) => {
        ::core::compile_error!(::core::concat!(
            "no argument begins like this: `", ::core::stringify!($other), "`; there are `action = name`, `target(type = id)`, ",
            "`target = id`, `outcome = succeeded`, `actor(kind = id)`, `actor = id`, `organization = id`, `location = address`, ",
            "`metadata(key = value)` and `count = number`"
        ))
    };
}

//! Other attributes, above and below.

use audit_derive::audited;
use axum::routing::delete;
use http::Request;
use tower::ServiceExt;

use crate::support::{NONE, Path, all, leave, one};

#[audited(action = "document.delete", target = "id")]
#[track_caller]
fn tracked_inside(id: u64) -> u32 {
    drop(id);
    std::panic::Location::caller().line()
}

/// Documentation above.
#[must_use]
#[inline]
#[audited(action = "document.delete", target = "id")]
#[allow(clippy::let_and_return, reason = "below the attribute")]
/// Documentation below.
fn many(id: u64) -> u64 {
    let same = id;
    same
}

#[deprecated(note = "on purpose")]
#[audited(action = "document.delete", target = "id")]
#[doc(hidden)]
#[must_use = "a number"]
async fn old(id: u64) -> u64 {
    id
}

#[expect(dead_code, reason = "the compiler still sees that nobody calls it")]
#[audited(action = "document.delete", target = "id")]
async fn dead_above(id: u64) -> u64 {
    id
}

#[audited(action = "document.delete", target = "id")]
#[expect(dead_code, reason = "the compiler still sees that nobody calls it")]
fn dead_below(id: u64) -> u64 {
    id
}

struct Methods;

impl Methods {
    #[expect(dead_code, reason = "the compiler still sees that nobody calls it")]
    #[audited(action = "document.delete", target = "id")]
    fn dead(&self, id: u64) -> u64 {
        id
    }

    #[audited(action = "document.delete", target = "id")]
    #[must_use]
    fn live(&self, id: u64) -> u64 {
        id
    }
}

#[audited(action = "document.delete", target = "id")]
fn with_cfg(
    #[cfg(any())] id: NoSuchType,
    #[cfg(not(any()))] id: u64,
    #[cfg(any())] gone: NoSuchType,
) -> u64 {
    id
}

#[audited(action = "document.delete", target = "id")]
async fn with_cfg_and_mut(
    #[cfg(not(any()))] mut id: u64,
    #[cfg(any())] mut gone: u8,
    #[cfg(not(any()))] _held: &str,
) -> u64 {
    id += 1;
    id
}

#[cfg_attr(
    all(),
    audit_derive::audited(action = "document.delete", target = "id")
)]
async fn configured(id: u64) -> u64 {
    id
}

#[cfg_attr(
    any(),
    audit_derive::audited(action = "document.delete", target = "id")
)]
async fn not_configured(id: u64) -> u64 {
    id
}

/// Converts the function to a type with the function inside, as `#[get]` of actix-web does.
/// `audit-actix` tests the real attribute.
macro_rules! as_a_type {
    ($(#[$meta:meta])* async fn $name:ident($($arguments:tt)*) -> $output:ty $body:block) => {
        #[allow(non_camel_case_types, reason = "as actix has it")]
        struct $name;
        impl $name {
            async fn call(path: Path<u64>) -> $output {
                $(#[$meta])*
                async fn $name($($arguments)*) -> $output $body
                $name(path).await
            }
        }
    };
}
as_a_type! {
    #[audited(action = "document.delete", target = "id")]
    async fn as_a_type(Path(id): Path<u64>) -> Result<u64, String> {
        Ok(id)
    }
}

#[audited(action = "document.delete", target = "id")]
#[audited(action = "document.delete", target = "id")]
async fn twice(id: u64) -> u64 {
    id
}

#[audited(action = "document.delete", target = "id")]
#[tracing::instrument(skip_all, err)]
async fn instrumented_below(id: u64) -> Result<u64, String> {
    Err(id.to_string())
}

#[tracing::instrument(skip_all, fields(id = id))]
#[audited(action = "document.delete", target = "id")]
async fn instrumented_above(id: u64) -> Result<u64, String> {
    Ok(id)
}

#[tokio::main(flavor = "current_thread")]
#[audited(action = "document.delete", target(document = 1))]
async fn main_above() {
    tokio::task::yield_now().await;
}

#[audited(action = "document.delete", target(document = 2))]
#[tokio::main(flavor = "current_thread")]
async fn main_below() -> Result<(), String> {
    tokio::task::yield_now().await;
    Err("on purpose".to_owned())
}

leave! {
    row_39_track_caller: tracked_inside(1) => "document.delete document:1 succeeded";
    row_40_many_attributes: many(1) => "document.delete document:1 succeeded";
    row_40_method: Methods.live(1) => "document.delete document:1 succeeded";
    row_42_cfg_of_parameters: with_cfg(1) => "document.delete document:1 succeeded";
    row_42_cfg_of_mutable_parameters: with_cfg_and_mut(1, "").await => "document.delete document:1 succeeded";
    row_43_cfg_attr: configured(1).await => "document.delete document:1 succeeded";
    row_44_function_that_becomes_a_type: as_a_type::call(Path(4)).await => "document.delete document:4 succeeded";
    row_45_instrument_below: instrumented_below(1).await => "document.delete document:1 failed";
    row_45_instrument_above: instrumented_above(1).await => "document.delete document:1 succeeded";
    row_45_tokio_main_above: main_above() => "document.delete document:1 succeeded";
    row_45_tokio_main_below: main_below() => "document.delete document:2 failed";
}

#[tokio::test]
async fn row_40_a_deprecated_function_is_still_audited() {
    #[expect(deprecated, reason = "the attribute is still there")]
    let left = one(async { assert_eq!(old(1).await, 1) }).await;
    assert_eq!(left, "document.delete document:1 succeeded");
}

/// If the three functions above were not reported as dead code, their `#[expect(dead_code)]` would
/// be a warning, which is an error here.
#[tokio::test]
async fn row_41_a_function_beside_dead_code_leaves_its_event() {
    let left = one(async { drop(many(2)) }).await;
    assert_eq!(left, "document.delete document:2 succeeded");
}

#[tokio::test]
async fn row_43_a_false_cfg_attr_leaves_no_event() {
    let left = all(async { drop(not_configured(1).await) }).await;
    assert_eq!(left, NONE);
}

#[tokio::test]
async fn row_45_two_attributes_leave_two_events() {
    let left = all(async { drop(twice(3).await) }).await;
    assert_eq!(left, ["document.delete document:3 succeeded"; 2]);
}

mod handlers {
    #![allow(
        clippy::diverging_sub_expression,
        reason = "`debug_handler` brings it, with and without `#[audited]`"
    )]

    use audit_derive::audited;

    #[axum::debug_handler]
    #[audited(action = "document.delete", target = "id")]
    pub(super) async fn debug_above(
        axum::extract::Path(id): axum::extract::Path<u64>,
    ) -> http::StatusCode {
        if id == 0 {
            http::StatusCode::FORBIDDEN
        } else {
            http::StatusCode::OK
        }
    }

    #[audited(action = "document.delete", target = "id")]
    #[axum::debug_handler]
    pub(super) async fn debug_below(
        axum::extract::Path(id): axum::extract::Path<u64>,
    ) -> http::StatusCode {
        if id == 0 {
            http::StatusCode::FORBIDDEN
        } else {
            http::StatusCode::OK
        }
    }
}

#[tokio::test]
async fn row_45_debug_handler() {
    let app = axum::Router::<()>::new()
        .route("/above/{id}", delete(handlers::debug_above))
        .route("/below/{id}", delete(handlers::debug_below));
    let left = all(async {
        for path in ["/above/0", "/below/1"] {
            let request = Request::delete(path).body(String::new());
            drop(app.clone().oneshot(request.expect("a request")).await);
        }
    });
    assert_eq!(
        left.await,
        [
            "document.delete document:0 denied",
            "document.delete document:1 succeeded"
        ]
    );
}

// A test function has no scope, so its call is counted as one without a recorder.

#[tokio::test]
#[audited(action = "document.delete", target(document = 1))]
async fn row_45_tokio_test_above() {
    assert!(audit_core::unrecorded() > 0);
}

#[audited(action = "document.delete", target(document = 1))]
#[tokio::test]
async fn row_45_tokio_test_below() {
    assert!(audit_core::unrecorded() > 0);
}

#[test]
#[audited(action = "document.delete", target(document = 1))]
fn row_45_test_above() {
    assert!(audit_core::unrecorded() > 0);
}

#[audited(action = "document.delete", target(document = 1))]
#[test]
fn row_45_test_below() {
    assert!(audit_core::unrecorded() > 0);
}

#[audited(action = "document.delete", target = "id")]
fn inner_attributes(id: u64) {
    #![allow(unused_variables)]
    //! Documentation.
    let unused = 1;
}

#[audited(action = "document.delete", target = "id")]
async fn inner_attributes_async(id: u64) -> u64 {
    #![allow(clippy::let_and_return)]
    let same = id;
    same
}

#[audited(action = "document.delete", target = "id")]
fn inner_attributes_and_a_future(id: u64) -> impl Future<Output = u64> {
    #![allow(unused_variables)]
    let unused = 1;
    async move { id }
}

#[audited(action = "document.delete", target = "id")]
#[rustfmt::skip]
fn one_line(id: u64) -> u64 { id }

leave! {
    trap_16_inner_attributes: inner_attributes(1) => "document.delete document:1 succeeded";
    trap_16_inner_attributes_async: inner_attributes_async(2).await => "document.delete document:2 succeeded";
    trap_16_inner_attributes_and_a_future: inner_attributes_and_a_future(3).await => "document.delete document:3 succeeded";
    on_one_line: one_line(1) => "document.delete document:1 succeeded";
}

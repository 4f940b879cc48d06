//! Every way a request can end, in every framework, over a real connection: exactly one event is
//! recorded, with the right outcome, action, target, actor, organization and address.
//!
//! | end | outcome | axum | actix | tonic |
//! | --- | --- | --- | --- | --- |
//! | `success` | succeeded | yes | yes | yes |
//! | `denial`: the function's error becomes 403, or `PERMISSION_DENIED` | denied | yes | yes | yes |
//! | `failure`: the function's error becomes 500, or `INTERNAL` | failed | yes | yes | yes |
//! | `panic` | panicked | yes | yes | yes |
//! | `panic_caught_inside` the layer, response 500 | panicked | yes | yes | yes |
//! | `panic_caught_outside` the layer | panicked | yes | yes | yes |
//! | `timeout_inside` the layer, response 408, or `DEADLINE_EXCEEDED` | abandoned | yes | yes | yes |
//! | `timeout_outside` the layer | abandoned | yes | yes | yes |
//! | `disconnect_before` the function returned | abandoned | yes | yes | yes |
//! | `disconnect_after` the function returned | succeeded | yes | yes | yes |
//! | `stream`: the client disconnects during the body; the outcome is that of the head | succeeded | yes | yes | yes |
//! | `upgrade`, response 101 | succeeded | yes | yes | - |
//! | `head`: a request for the head alone | succeeded | yes | yes | - |
//! | `options` | succeeded | yes | yes | - |
//!
//! A dash: gRPC has no such request, since every call is a POST. `index.rs` compares the table with
//! the tests.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod actix;
mod axum;
mod ends;
mod index;
mod plain;
mod setup;
mod tonic;

/// Generates a test of each end, in a module named after the framework, and the list of their
/// names.
macro_rules! frameworks {
    ($($name:ident: $framework:ty = [$($end:ident),* $(,)?];)*) => {$(
        mod $name {
            pub(crate) const ENDS: &[&str] = &[$(stringify!($end)),*];
            $(
                #[tokio::test]
                async fn $end() {
                    crate::ends::$end::<$framework>().await;
                }
            )*
        }
    )*
        /// The generated tests, by framework.
        pub(crate) const TESTS: &[(&str, &[&str])] = &[$((stringify!($name), $name::ENDS)),*];
    };
}

mod tests {
    frameworks! {
        axum: crate::axum::Axum = [
            success, denial, failure, panic, panic_caught_inside, panic_caught_outside, timeout_inside,
            timeout_outside, disconnect_before, disconnect_after, stream, upgrade, head, options,
        ];
        actix: crate::actix::Actix = [
            success, denial, failure, panic, panic_caught_inside, panic_caught_outside, timeout_inside,
            timeout_outside, disconnect_before, disconnect_after, stream, upgrade, head, options,
        ];
        tonic: crate::tonic::Tonic = [
            success, denial, failure, panic, panic_caught_inside, panic_caught_outside, timeout_inside,
            timeout_outside, disconnect_before, disconnect_after, stream,
        ];
    }
}

//! Functions of many shapes, under every lint that a careful project may have.

#![deny(
    warnings,
    missing_docs,
    unused,
    future_incompatible,
    rust_2018_idioms,
    rust_2021_compatibility
)]
#![deny(
    let_underscore_drop,
    single_use_lifetimes,
    unit_bindings,
    unreachable_pub,
    unused_lifetimes
)]
#![deny(
    unused_qualifications,
    unused_results,
    trivial_casts,
    missing_debug_implementations
)]
#![deny(clippy::all, clippy::pedantic, clippy::nursery)]
#![allow(
    clippy::unused_async,
    clippy::missing_const_for_fn,
    clippy::needless_pass_by_value,
    clippy::unused_self,
    clippy::manual_async_fn,
    clippy::future_not_send
)]
#![allow(
    clippy::drop_non_drop,
    clippy::large_types_passed_by_value,
    clippy::large_futures,
    clippy::trivially_copy_pass_by_ref,
    clippy::option_if_let_else,
    clippy::redundant_pub_crate,
    clippy::unused_unit,
    clippy::panic,
    clippy::expect_used
)]
#![allow(dropping_copy_types, dropping_references, reason = "shapes, not style")]
#![expect(clippy::allow_attributes_without_reason)]

mod arguments;
mod async_traits;
mod attributes;
mod futures;
mod generics;
mod hygiene;
mod life;
mod methods;
mod results;
mod support;

//! Implements `#[audited]` in three steps.
//!
//! 1. Parse: [`args`], [`captures`] and [`name`] for the attribute; [`signature`] and [`bindings`]
//!    for the function; [`future`] and [`async_trait`] for functions that return a future.
//! 2. Check: [`check`] returns a [`mod@plan`], with [`context`], [`completeness`], [`resolve`] and
//!    [`late`]; [`explain`] is the message for a missing catalog.
//! 3. Expand: [`expand`], with the calls of the [`runtime`] from [`calls`] and the block of the
//!    body from [`body`].
//!
//! [`fallback`] runs the steps; after a mistake it returns the item unchanged, beside the errors.

pub(crate) mod args;
mod async_trait;
mod bindings;
pub(crate) mod body;
pub(crate) mod calls;
pub(crate) mod captures;
pub(crate) mod check;
mod completeness;
mod context;
mod expand;
pub(crate) mod explain;
pub(crate) mod fallback;
mod future;
mod late;
pub(crate) mod name;
mod plan;
mod resolve;
pub(crate) mod runtime;
mod signature;
#[cfg(test)]
mod tests;

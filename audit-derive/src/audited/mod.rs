//! `#[audited]`: parse ([`args`], [`captures`], [`signature`], [`bindings`]; [`future`] and
//! [`async_trait`] know what functions that return a future look like), check against the catalog
//! ([`check`] into a [`mod@plan`], [`resolve`], and [`explain`] when there is none; [`late`] sets
//! apart what only a successful result knows), expand ([`expand`], with the calls into the runtime
//! from [`calls`] and the block of the body from [`body`]). When a step finds a mistake,
//! [`fallback`] gives the item back as it was, beside the errors.

mod args;
mod async_trait;
mod bindings;
mod body;
mod calls;
mod captures;
mod check;
mod completeness;
mod expand;
mod explain;
mod fallback;
mod future;
mod late;
mod name;
mod plan;
mod resolve;
mod runtime;
mod signature;

pub(crate) use args::{Args, argument, comma_separated};
pub(crate) use body::{braces, nested};
pub(crate) use calls::{Calls, conditions, deprecated, open};
pub(crate) use captures::expression;
pub(crate) use check::plan;
#[cfg(test)]
pub(crate) use expand::expands_to;
pub(crate) use explain::explain;
pub(crate) use fallback::attribute;
pub(crate) use name::ActionName;
pub(crate) use runtime::Runtime;

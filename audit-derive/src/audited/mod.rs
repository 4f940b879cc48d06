//! `#[audited]`: parse ([`args`], [`captures`], [`signature`], [`bindings`]; [`future`] and
//! [`async_trait`] know what functions that return a future look like), check against the catalog
//! ([`check`] into a [`mod@plan`], [`resolve`], and [`explain`] when there is none; [`late`] sets
//! apart what only a successful result knows), expand ([`expand`], with the calls into the runtime
//! from [`calls`] and the block of the body from [`body`]). When a step finds a mistake,
//! [`fallback`] gives the item back as it was, beside the errors.

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

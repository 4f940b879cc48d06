//! `#[audited]`: parse ([`args`], [`captures`], [`signature`], [`bindings`]), check against the catalog ([`check`], [`resolve`], and
//! [`explain`] when there is none; [`late`] sets apart what only a successful result knows), expand ([`expand`]). When a step finds a mistake, [`fallback`] gives the item back as it
//! was, beside the errors.

mod args;
mod bindings;
mod captures;
mod check;
mod expand;
mod explain;
mod fallback;
mod late;
mod name;
mod resolve;
mod signature;

pub(crate) use args::{Args, argument, comma_separated};
pub(crate) use captures::expression;
pub(crate) use check::plan;
#[cfg(test)]
pub(crate) use expand::expands_to;
pub(crate) use expand::{deprecated, record as record_step, site};
pub(crate) use explain::explain;
pub(crate) use fallback::attribute;
pub(crate) use name::ActionName;

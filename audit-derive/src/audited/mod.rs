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
mod resolve;
mod signature;

pub(crate) use fallback::attribute;

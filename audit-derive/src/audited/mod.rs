//! `#[audited]`: parse ([`args`], [`signature`]), check against the catalog ([`check`], [`resolve`]), expand ([`expand`]); when any of
//! them finds a mistake, [`fallback`] gives the item back as it was, beside the errors.

mod args;
mod check;
mod expand;
mod fallback;
mod resolve;
mod signature;

pub(crate) use fallback::attribute;

//! Parses TOML text into declarations.
//!
//! [`document()`] walks the tree with a [`reader`]; [`mod@coalesce`] parses the one nested table.
//! The checker compares declarations with each other.

mod coalesce;
mod document;
mod reader;

#[cfg(test)]
pub(crate) use coalesce::COALESCE_KEYS;
pub(crate) use document::document;
#[cfg(test)]
pub(crate) use document::{ACTION_KEYS, DOCUMENT_KEYS, METADATA_ONLY};

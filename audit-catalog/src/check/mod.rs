//! Checks declarations: names and limits ([`names`]), how declarations refer to each other
//! ([`references`]), and the placeholders of summaries ([`mod@summary`]).

mod check;
mod names;
mod references;
mod summary;
#[cfg(test)]
mod tests;

pub(crate) use check::declarations;

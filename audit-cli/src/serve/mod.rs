//! What a running server shows: who it is, each event as it arrives, and the counts at the end.

mod json;
mod line;
mod screen;

pub(crate) use screen::{Facts, Mode, show};

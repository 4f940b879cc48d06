//! Prints the events of a running server, as text or as JSON lines.

mod json;
mod line;
mod output;
mod show;
mod text;

pub(crate) use json::Json;
pub(crate) use output::{Output, ServerInfo};
pub(crate) use show::show;
pub(crate) use text::Text;

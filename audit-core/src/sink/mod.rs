//! Destinations of events: the trait, the faults of an attempt, the rate limit, and sinks for
//! memory and JSON Lines.

mod fault;
#[cfg(feature = "json-lines")]
mod json_lines;
mod memory;
mod pace;
mod sink;

pub use self::fault::Fault;
pub(crate) use self::fault::Kind;
#[cfg(feature = "json-lines")]
pub use self::json_lines::{JsonLines, Rotation};
pub use self::memory::MemorySink;
pub(crate) use self::pace::Bucket;
pub use self::pace::Pace;
pub(crate) use self::sink::DynSink;
pub use self::sink::{Delivery, Sink};

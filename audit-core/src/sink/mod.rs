//! Destinations of events: the trait, the faults of an attempt, the rate limit, and sinks for
//! memory and JSON Lines.

mod fault;
#[cfg(feature = "json-lines")]
mod json_lines;
mod memory;
mod rate_limit;
mod sink;

pub use self::fault::Fault;
pub(crate) use self::fault::FaultKind;
#[cfg(feature = "json-lines")]
pub use self::json_lines::{JsonLines, Rotation};
pub use self::memory::MemorySink;
pub(crate) use self::rate_limit::Bucket;
pub use self::rate_limit::RateLimit;
pub(crate) use self::sink::DynSink;
pub use self::sink::{Delivery, Sink};

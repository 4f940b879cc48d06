//! Destinations of events: the trait `Sink`, the faults of an attempt, the rate limit, and the
//! sinks for memory and JSON Lines.

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
pub use self::rate_limit::RateLimit;
pub(crate) use self::rate_limit::TokenBucket;
pub(crate) use self::sink::DynSink;
pub use self::sink::{Delivery, Sink};

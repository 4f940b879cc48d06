//! Benchmarks of audit logging beside its peers. The programs in `bin` choose, run and print.
//!
//! Everything that is compared runs in one process and in turns, so that other load on the machine
//! affects all of it. The figures are medians, and the goals are for their ratios.

pub mod counting_sink;
#[cfg(feature = "peers")]
pub mod deliver;
pub mod event_data;
#[cfg(feature = "peers")]
pub mod figures;
#[cfg(feature = "peers")]
pub mod record;
pub mod request;

/// The result of a measurement; any error ends it with a message.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

//! What is measured, and what it is measured beside. The programs in `bin` choose, run and print.
//!
//! Everything that is compared runs in one process and in turns, so that what else the machine does
//! falls on all of it. The figures are medians, and what counts is their ratios.

#[cfg(feature = "peers")]
pub mod deliver;
pub mod facts;
#[cfg(feature = "peers")]
pub mod figures;
pub mod nowhere;
#[cfg(feature = "peers")]
pub mod record;
pub mod request;

/// Anything that may go wrong ends the measurement, with its message.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

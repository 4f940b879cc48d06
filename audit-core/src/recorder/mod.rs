//! The recorder: the cheap handle that a service clones.

mod build_error;
mod builder;
mod dead_letters;
#[cfg(feature = "spool")]
mod durable;
mod error;
mod recorder;
#[cfg(test)]
mod tests;

pub use self::build_error::BuildError;
pub use self::builder::RecorderBuilder;
pub use self::dead_letters::Redriven;
pub use self::error::{InstallError, RecordError};
pub use self::recorder::{Guard, Recorder};

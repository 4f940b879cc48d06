//! The result type and the deadlines of all parts of the demo.

use std::error::Error;
use std::time::Duration;

/// The result of a part of the demo, which reports any error and stops.
pub(crate) type Result<T, E = Box<dyn Error + Send + Sync>> = std::result::Result<T, E>;

/// Deadline for the arrival of events, and for their delivery on shutdown.
pub(crate) const DEADLINE: Duration = Duration::from_secs(10);

/// Timeout of a request to the documents service.
pub(crate) const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

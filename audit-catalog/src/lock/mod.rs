//! The lock file: the version of each action's schema in each environment.

mod lock;
mod read;

pub use lock::{Lock, Locked};

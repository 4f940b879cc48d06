//! The dispatcher: the task that owns delivery.

mod attempts;
mod coalescing;
mod dispatcher;
mod ends;
#[cfg(test)]
mod tests;
mod verify;

pub(crate) use self::dispatcher::{Command, Dispatcher};

//! The dispatcher: the task that owns delivery.

mod attempts;
mod coalescing;
mod dispatcher;
mod ends;
mod parts;
mod room;
mod scout;
#[cfg(test)]
mod tests;
mod verify;

pub(crate) use self::dispatcher::Dispatcher;
pub(crate) use self::parts::{Command, Setup};

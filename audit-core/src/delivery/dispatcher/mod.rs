//! The dispatcher: the task that owns delivery.

mod attempts;
mod coalescing;
mod dispatcher;
mod ends;
mod parts;
mod publish;
mod room;
mod scout;
mod spooled;
#[cfg(test)]
mod tests;
mod verify;

pub(crate) use self::dispatcher::Dispatcher;
pub(crate) use self::parts::{Command, Setup};

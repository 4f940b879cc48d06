//! The primitives of the queue; its loom model has a module of the same name.

pub(crate) use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering, fence};

pub(crate) use crossbeam_queue::ArrayQueue;
pub(crate) use tokio::sync::Notify;

//! What the queue is made of; its model has a module of the same name.

pub(crate) use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering, fence};

pub(crate) use crossbeam_queue::ArrayQueue;
pub(crate) use tokio::sync::Notify;

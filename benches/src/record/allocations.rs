//! Allocations on the thread that makes the events.

use super::contender::{Consumer, contenders};
use crate::Result;

/// Many, so that what a queue allocates once in a while is seen, as its share.
const EVENTS: u64 = 1_000;

/// Allocations per event of each contender. The count of what a closure allocates on this thread is
/// taken by `count`, since counting needs another allocator, and this slows down whatever else is
/// measured.
///
/// # Errors
///
/// Events were lost.
pub fn allocations(count: fn(&mut dyn FnMut()) -> u64) -> Result<Vec<(&'static str, f64)>> {
    let mut counts = Vec::new();
    for mut contender in contenders(Consumer::Idle)? {
        // The first time fills what is kept per thread.
        contender.begin(EVENTS)?;
        contender.emit(EVENTS);
        contender.finish()?;
        contender.begin(EVENTS)?;
        let made = count(&mut || contender.emit(EVENTS));
        contender.finish()?;
        counts.push((contender.label(), made as f64 / EVENTS as f64));
    }
    Ok(counts)
}

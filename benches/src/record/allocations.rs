//! Counts the allocations on the thread that makes the events.

use super::all::contenders;
use super::contender::Consumer;
use crate::Result;

/// Many, so that an occasional allocation of a queue counts with its share.
const EVENTS: u64 = 1_000;

/// Returns the allocations per event of each contender.
///
/// `count` runs a closure and returns its allocations on this thread. It comes from the caller,
/// since counting needs another allocator, which slows down every other measurement.
///
/// # Errors
///
/// Events were lost.
pub fn allocations(count: fn(&mut dyn FnMut()) -> u64) -> Result<Vec<(&'static str, f64)>> {
    let mut counts = Vec::new();
    for mut contender in contenders(Consumer::Idle)? {
        // The first batch fills thread-local caches.
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

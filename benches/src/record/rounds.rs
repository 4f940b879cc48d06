//! Measures the contenders in turns.
//!
//! Each round begins with another one, so that none always runs after the same one.

use std::thread;
use std::time::{Duration, Instant};

use super::all::contenders;
use super::contender::{Consumer, Contender};
use crate::Result;
use crate::figures::Series;

const BURST_ROUNDS: usize = 301;
const BURST: u64 = 1_000;

const LIVE_ROUNDS: usize = 151;
/// Few, so that the consumer is still busy when they are made.
const LIVE: u64 = 100;
/// Events that keep the consumer busy meanwhile: more than half of the queue, at which it is woken.
const AHEAD: u64 = 4_500;

/// A pause without events before each one.
#[derive(Clone, Copy, Debug)]
pub struct Pause {
    pub before_each: Duration,
    /// The caller sleeps meanwhile as well; if not, it is busy with something else.
    pub caller_sleeps: bool,
    /// Events of one contender in a row, all after such a pause.
    pub in_a_row: usize,
    pub rounds: usize,
}

/// Returns the nanoseconds per event while the consumer is idle.
///
/// # Errors
///
/// Events were lost.
pub fn burst() -> Result<Vec<Series>> {
    rounds(Consumer::Idle, BURST_ROUNDS, |contender| {
        contender.begin(BURST)?;
        let took = timed(contender, BURST);
        contender.finish()?;
        Ok(took)
    })
}

/// Returns the nanoseconds per event while the consumer is busy with earlier ones.
///
/// # Errors
///
/// Events were lost.
pub fn live() -> Result<Vec<Series>> {
    rounds(Consumer::Live, LIVE_ROUNDS, |contender| {
        let before = contender.consumed().get();
        contender.begin(AHEAD + LIVE)?;
        contender.emit(AHEAD);
        // Not asleep, so that this thread is still warm.
        while contender.consumed().get() == before {
            std::hint::spin_loop();
        }
        let took = timed(contender, LIVE);
        contender.finish()?;
        Ok(took)
    })
}

/// Returns the nanoseconds of each event after a pause in which the consumer falls asleep.
///
/// # Errors
///
/// Events were lost.
pub fn sparse(pause: Pause) -> Result<Vec<Series>> {
    let mut contenders = contenders(Consumer::Live)?;
    let mut series: Vec<_> = contenders.iter().map(|c| Series::new(c.label())).collect();
    for round in 0..pause.rounds {
        for turn in 0..contenders.len() {
            let index = (round + turn) % contenders.len();
            let contender = &mut *contenders[index];
            contender.begin(pause.in_a_row as u64)?;
            for _ in 0..pause.in_a_row {
                pause.take();
                series[index].values.push(timed(contender, 1));
            }
            contender.finish()?;
        }
    }
    Ok(series)
}

impl Pause {
    fn take(self) {
        if self.caller_sleeps {
            return thread::sleep(self.before_each);
        }
        let begun = Instant::now();
        while begun.elapsed() < self.before_each {
            std::hint::spin_loop();
        }
    }
}

fn timed(contender: &mut dyn Contender, events: u64) -> f64 {
    let started = Instant::now();
    contender.emit(events);
    started.elapsed().as_secs_f64() * 1e9 / events as f64
}

fn rounds(
    consumer: Consumer,
    rounds: usize,
    mut batch: impl FnMut(&mut dyn Contender) -> Result<f64>,
) -> Result<Vec<Series>> {
    let mut contenders = contenders(consumer)?;
    let mut series: Vec<_> = contenders.iter().map(|c| Series::new(c.label())).collect();
    // The first round warms up and is not counted.
    for round in 0..=rounds {
        for turn in 0..contenders.len() {
            let index = (round + turn) % contenders.len();
            let took = batch(&mut *contenders[index])?;
            if round > 0 {
                series[index].values.push(took);
            }
        }
    }
    Ok(series)
}

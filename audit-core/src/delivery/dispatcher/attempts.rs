//! Attempts: which event is sent now, and what becomes of it when one has ended.

use std::sync::Arc;

use tokio::time::Instant;

use super::dispatcher::Dispatcher;
use crate::delivery::dead_letter::DeadLetter;
use crate::delivery::decide::{Decision, History, decide};
use crate::delivery::fence::End;
use crate::event::now_millis;
use crate::sink::{Delivery, FaultKind};
use crate::telemetry::LaneState;

impl Dispatcher {
    pub(super) fn start_attempts(&mut self) {
        self.leave = None;
        while self.lane.admits(self.in_flight.len()) {
            let now = Instant::now();
            let Some(number) = self.next(now) else { return };
            let Some(open) = self.open.get_mut(&number) else {
                continue;
            };
            self.in_flight.push(open.attempt(number, &self.sink, now));
        }
    }

    /// The number of the event to send now: a parked one whose moment has come and whose repetition
    /// can be paid, else the one whose turn it is. None if there is none, or the pace does not
    /// allow it.
    fn next(&mut self, now: Instant) -> Option<u64> {
        let due = self.backlog.due().is_some_and(|due| due <= now);
        // A probe is no repetition beside others: it is all there is, and has its own pauses.
        let probe = self.lane.is_probing();
        let paid = due
            && !probe
            && match self.budget.take(now) {
                Ok(()) => true,
                Err(next) => {
                    self.leave = Some(next);
                    false
                }
            };
        let fresh = self.backlog.has_next();
        let parked = probe && !fresh && self.backlog.due().is_some();
        if !(paid || fresh || parked) {
            return None;
        }
        if let Err(next) = self.shared.rate_limit.take(now) {
            self.leave = Some(self.leave.map_or(next, |leave| leave.min(next)));
            if paid {
                self.budget.give_back();
            }
            return None;
        }
        if paid {
            self.backlog.next_due(now)
        } else if fresh {
            self.backlog.next()
        } else {
            self.backlog.next_parked()
        }
    }

    /// An attempt ended.
    pub(super) fn attempted(&mut self, number: u64, delivery: Delivery) {
        let Some(open) = self.open.get_mut(&number) else {
            return;
        };
        let now = Instant::now();
        let fault = match delivery {
            Ok(()) => {
                self.lane.succeeded();
                self.budget.earn();
                self.shared.counters.delivered.add(1);
                drop(self.close(number, End::Delivered));
                return self.tell_lane(LaneState::Open);
            }
            Err(fault) => fault,
        };
        if matches!(
            fault.kind(),
            FaultKind::Retryable | FaultKind::ConnectionLost
        ) {
            self.lane.failed(number);
        }
        let history = History {
            failed: open.failed,
            hurried: open.hurried,
            lane: self.lane.history(),
        };
        let is_doubtful = open.failed(&fault);
        if let (true, Some(row), Some(spool)) = (is_doubtful, open.row, &self.shared.spool) {
            spool.attempted(row, open.event.id(), now_millis());
        }
        let decision = decide(Err(&fault), &history, now, fastrand::f64());
        if !matches!(decision, Decision::DeadLetter | Decision::Delivered) {
            self.shared.counters.retried.add(1);
        }
        match decision {
            Decision::Delivered => {}
            Decision::DeadLetter => {
                self.lane.succeeded();
                self.shared.counters.dead.add(1);
                // All is counted before foreign code runs.
                let row = open.row;
                if let Some(event) = self.close(number, End::Dead) {
                    self.shared.bury(DeadLetter::new(event, fault), row);
                }
                self.tell_lane(LaneState::Open);
            }
            Decision::AtOnce => {
                open.hurried = true;
                self.backlog.park(now, number);
            }
            Decision::Retry(at) => {
                open.failed = open.failed.saturating_add(1);
                self.backlog.park(at, number);
                self.shared.log_fault(&open.event, &fault);
            }
            Decision::Pause(until) => {
                let event = Arc::clone(&open.event);
                // A fault of everybody's: this event is first again. Otherwise it may be this one's
                // after all, and another one finds out.
                match fault.kind() {
                    FaultKind::RateLimited | FaultKind::Fatal => {
                        self.backlog.add_first(open, number)
                    }
                    _ => self.backlog.add(open, number),
                }
                self.lane.pause(until);
                self.tell_lane(match fault.kind() {
                    FaultKind::RateLimited => LaneState::Limited(fault.to_string()),
                    FaultKind::Fatal => LaneState::Fatal(fault.to_string()),
                    _ => LaneState::Down(fault.to_string()),
                });
                self.shared.log_fault(&event, &fault);
            }
        }
    }
}

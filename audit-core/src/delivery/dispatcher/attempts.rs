//! Attempts: selecting the next event, and handling the result of an attempt.

use std::sync::Arc;

use tokio::time::Instant;

use super::dispatcher::Dispatcher;
use crate::delivery::dead_letter::DeadLetter;
use crate::delivery::decide::{Decision, History, decide};
use crate::delivery::flush_barrier::FinalState;
use crate::event::now_millis;
use crate::sink::{Delivery, FaultKind};
use crate::telemetry::SinkState;

impl Dispatcher {
    pub(super) fn start_attempts(&mut self) {
        self.next_permit_at = None;
        while self.breaker.admits(self.in_flight.len()) {
            let now = Instant::now();
            let Some(number) = self.next(now) else { return };
            let Some(open) = self.pending.get_mut(&number) else {
                continue;
            };
            self.in_flight.push(open.attempt(number, &self.sink, now));
        }
    }

    /// Returns the next event to send.
    ///
    /// It is a delayed one that is due and whose retry the budget covers, otherwise the next ready
    /// one. `None` if there is none, or the rate limit does not permit it.
    fn next(&mut self, now: Instant) -> Option<u64> {
        let due = self.ready.due().is_some_and(|due| due <= now);
        // A probe needs no budget: it is the only attempt, and has its own pauses.
        let probe = self.breaker.is_probing();
        let paid = due
            && !probe
            && match self.retry_budget.take(now) {
                Ok(()) => true,
                Err(next) => {
                    self.next_permit_at = Some(next);
                    false
                }
            };
        let fresh = self.ready.has_next();
        let delayed = probe && !fresh && self.ready.due().is_some();
        if !(paid || fresh || delayed) {
            return None;
        }
        if let Err(next) = self.pipeline.rate_limit.try_acquire(now) {
            self.next_permit_at = Some(self.next_permit_at.map_or(next, |leave| leave.min(next)));
            if paid {
                self.retry_budget.refund();
            }
            return None;
        }
        if paid {
            self.ready.next_due(now)
        } else if fresh {
            self.ready.next()
        } else {
            self.ready.next_delayed()
        }
    }

    /// Applies the decision after an attempt.
    pub(super) fn on_attempt_finished(&mut self, number: u64, delivery: Delivery) {
        let Some(open) = self.pending.get_mut(&number) else {
            return;
        };
        let now = Instant::now();
        let fault = match delivery {
            Ok(()) => {
                self.breaker.succeeded();
                self.retry_budget.earn();
                self.pipeline.counters.delivered.add(1);
                drop(self.close(number, FinalState::Delivered));
                return self.publish_sink_state(SinkState::Healthy);
            }
            Err(fault) => fault,
        };
        if matches!(
            fault.kind(),
            FaultKind::Retryable | FaultKind::ConnectionLost
        ) {
            self.breaker.failed(number);
        }
        let history = History {
            failed: open.failed,
            immediate_retry_used: open.immediate_retry_used,
            breaker: self.breaker.history(),
        };
        let is_first_ambiguous = open.failed(&fault);
        if let (true, Some(row), Some(spool)) = (is_first_ambiguous, open.row, &self.pipeline.spool)
        {
            spool.record_attempt(row, open.event.id(), now_millis());
        }
        let decision = decide(Err(&fault), &history, now, fastrand::f64());
        if !matches!(decision, Decision::DeadLetter | Decision::Delivered) {
            self.pipeline.counters.retried.add(1);
        }
        match decision {
            Decision::Delivered => {}
            Decision::DeadLetter => {
                self.breaker.succeeded();
                self.pipeline.counters.dead.add(1);
                // All is counted before user code runs.
                let row = open.row;
                if let Some(event) = self.close(number, FinalState::Dead) {
                    self.pipeline
                        .keep_dead_letter(DeadLetter::new(event, fault), row);
                }
                self.publish_sink_state(SinkState::Healthy);
            }
            Decision::RetryNow => {
                open.immediate_retry_used = true;
                self.ready.delay(now, number);
            }
            Decision::Retry(at) => {
                open.failed = open.failed.saturating_add(1);
                self.ready.delay(at, number);
                self.pipeline.log_fault(&open.event, &fault);
            }
            Decision::Pause(until) => {
                let event = Arc::clone(&open.event);
                // If the fault concerns all events, this one goes first again. Otherwise it may be
                // this event's own, and another one probes the sink.
                match fault.kind() {
                    FaultKind::RateLimited | FaultKind::Fatal => self.ready.add_first(open, number),
                    _ => self.ready.add(open, number),
                }
                self.breaker.pause(until);
                self.publish_sink_state(match fault.kind() {
                    FaultKind::RateLimited => SinkState::RateLimited(fault.to_string()),
                    FaultKind::Fatal => SinkState::Misconfigured(fault.to_string()),
                    _ => SinkState::Down(fault.to_string()),
                });
                self.pipeline.log_fault(&event, &fault);
            }
        }
    }
}

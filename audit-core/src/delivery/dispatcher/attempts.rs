//! Attempts: selecting the next event, and handling the result of an attempt.

use std::sync::Arc;

use tokio::time::Instant;

use super::dispatcher::Dispatcher;
use crate::delivery::attribution::{Cause, Failure};
use crate::delivery::circuit_breaker::Pause;
use crate::delivery::dead_letter::DeadLetter;
use crate::delivery::decide::{Decision, History, decide};
use crate::delivery::flush_barrier::FinalState;
use crate::delivery::pending_event::AttemptStart;
use crate::event::now_millis;
use crate::sink::{Delivery, Fault, FaultKind};
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
            let start = AttemptStart {
                number,
                attempt: self.attribution.start(),
                now,
                limit: self.attempt_timeout,
            };
            if let (Some(row), true, Some(spool)) = (
                open.row_on_disk(),
                open.is_unambiguous(),
                &self.pipeline.spool,
            ) {
                // Kept before the result is known, which a crash may prevent.
                let millis = now_millis();
                open.attempt_millis = Some(millis);
                spool.record_attempt(row, open.event.id(), millis);
            }
            self.in_flight.push(open.attempt(&self.sink, start));
        }
    }

    /// Returns the next event to send; `None` if there is none, or none is permitted now.
    fn next(&mut self, now: Instant) -> Option<u64> {
        if self.breaker.is_probing() {
            let probe = self.best_probe(now);
            if probe.is_none() && self.scout.is_none() || !self.is_permitted(now) {
                return None;
            }
            let scout = self.take_scout(probe, now);
            return scout.or_else(|| Some(self.ready.take(probe?)));
        }
        // A delayed event goes first, if the budget covers its retry; otherwise a ready one.
        let due = self.ready.due().is_some_and(|due| due <= now);
        let is_paid = due
            && match self.retry_budget.take(now) {
                Ok(()) => true,
                Err(next) => {
                    self.next_permit_at = Some(next);
                    false
                }
            };
        let witness = self.waiting_witness();
        if !(is_paid || self.ready.has_next() || witness.is_some()) {
            return None;
        }
        if !self.is_permitted(now) {
            if is_paid {
                self.retry_budget.refund();
            }
            return None;
        }
        if let Some(number) = witness {
            if is_paid {
                self.retry_budget.refund();
            }
            return Some(self.ready.take(number));
        }
        if is_paid {
            self.ready.next_due(now)
        } else {
            self.ready.next()
        }
    }

    /// Returns whether the rate limit permits an attempt now.
    fn is_permitted(&mut self, now: Instant) -> bool {
        match self.pipeline.rate_limit.try_acquire(now) {
            Ok(()) => true,
            Err(next) => {
                let next = self.next_permit_at.map_or(next, |leave| leave.min(next));
                self.next_permit_at = Some(next);
                false
            }
        }
    }

    /// Returns the event that probes the sink after a pause.
    ///
    /// It is not the one that failed, if there is another. An event that owns its failures is sent
    /// only when it is due: its failure would prove nothing about the sink. It needs no budget.
    fn best_probe(&self, now: Instant) -> Option<u64> {
        let rank = |number| {
            let open = self.pending.get(&number)?;
            self.attribution.probe_rank(&open.failures, &open.event)
        };
        self.ready.best(rank).or_else(|| self.ready.due_now(now))
    }

    /// Returns the event whose failure ended in a pause, if it waits for its next attempt.
    fn waiting_witness(&mut self) -> Option<u64> {
        let number = self.attribution.witness()?;
        let Some(open) = self.pending.get(&number) else {
            self.attribution.forget_witness(number);
            return None;
        };
        (!open.is_in_flight).then_some(number)
    }

    /// Applies the decision after an attempt.
    pub(super) fn on_attempt_finished(&mut self, number: u64, delivery: Delivery) {
        let now = Instant::now();
        let Some(open) = self.pending.get_mut(&number) else {
            return;
        };
        open.is_in_flight = false;
        match delivery {
            Ok(()) => {
                let scout_row = open.scout_row;
                self.on_answered(number, now);
                if let Some(row) = scout_row {
                    return self.on_scout_delivered(number, row);
                }
                self.retry_budget.earn();
                self.pipeline.counters.delivered.add(1);
                drop(self.close(number, FinalState::Delivered));
            }
            Err(fault) => self.on_fault(number, fault, now),
        }
    }

    /// Notes that the sink accepted or rejected an event: it is reachable.
    fn on_answered(&mut self, number: u64, now: Instant) {
        let Some(open) = self.pending.get(&number) else {
            return;
        };
        self.attribution.passed(&open.event, open.attempt, now);
        self.attribution.forget_witness(number);
        self.breaker.succeeded(open.attempt);
        if !self.breaker.is_probing() {
            // Its row may be read and delivered from here on, so it is no probe of a later pause.
            self.scout = None;
            self.publish_sink_state(SinkState::Healthy);
        }
    }

    fn on_fault(&mut self, number: u64, fault: Fault, now: Instant) {
        let Some(open) = self.pending.get_mut(&number) else {
            return;
        };
        let is_probing = self.breaker.is_probing();
        let is_transient = !matches!(
            fault.kind(),
            FaultKind::Rejected | FaultKind::Panicked | FaultKind::Lost
        );
        let cause = if is_transient {
            let failure = Failure {
                number,
                event: &open.event,
                kind: fault.kind(),
                attempt: open.attempt,
                is_probe: is_probing,
                now,
            };
            self.attribution.attribute(&mut open.failures, &failure)
        } else {
            Cause::Event
        };
        open.failed(&fault);
        if let (Some(millis), Some(row), true, Some(spool)) = (
            open.attempt_millis.take(),
            open.row_on_disk(),
            open.is_unambiguous(),
            &self.pipeline.spool,
        ) {
            spool.forget_attempt(row, open.event.id(), millis);
        }
        if open.scout_row.is_some() {
            return self.on_scout_failed(number, &fault, cause, now);
        }
        let history = History {
            cause,
            failed: open.failures.charged,
            rounds: open.failures.rounds,
            immediate_retry_used: open.immediate_retry_used,
            pauses: self.breaker.pauses(),
            is_mixed: self.attribution.is_mixed(now),
        };
        match decide(Err(&fault), &history, now, fastrand::f64()) {
            Decision::Delivered => {}
            Decision::DeadLetter => {
                if fault.kind() == FaultKind::Rejected {
                    self.on_answered(number, now);
                }
                self.make_dead_letter(number, fault);
            }
            Decision::GiveUp => {
                let attempts = open.failures.charged.saturating_add(1);
                self.make_dead_letter(number, Fault::given_up(attempts, &fault));
            }
            Decision::RetryNow => {
                open.immediate_retry_used = true;
                self.ready.delay(now, number);
                self.pipeline.counters.retried.add(1);
            }
            Decision::Retry(at) => {
                open.failures.charged = open.failures.charged.saturating_add(1);
                self.pipeline
                    .log_fault(&open.event, &fault, cause == Cause::Event);
                // As long as nothing passes, it may be the configuration.
                let is_misconfigured = cause == Cause::Unknown && fault.is_fatal();
                let state = is_misconfigured.then(|| SinkState::Misconfigured(fault.to_string()));
                open.last_fault = Some(fault);
                self.delay(number, at);
                if let Some(state) = state {
                    self.publish_sink_state(state);
                }
                self.pipeline.counters.retried.add(1);
            }
            Decision::Pause(until) => {
                let event = Arc::clone(&open.event);
                self.ready.add(open, number);
                self.pipeline.counters.retried.add(1);
                self.pause(until, &fault, now);
                self.pipeline.log_fault(&event, &fault, false);
            }
        }
    }

    /// Pauses delivery, after a fault that is the sink's.
    fn pause(&mut self, until: Instant, fault: &Fault, now: Instant) {
        self.breaker.pause(Pause {
            until,
            is_asked: fault.retry_after().is_some(),
            now,
            started: self.attribution.started(),
        });
        self.publish_sink_state(match fault.kind() {
            FaultKind::RateLimited => SinkState::RateLimited(fault.to_string()),
            FaultKind::Fatal => SinkState::Misconfigured(fault.to_string()),
            _ => SinkState::Down(fault.to_string()),
        });
        self.request_scout();
    }

    /// Handles a scout that the sink did not accept. Its row is read in its turn.
    fn on_scout_failed(&mut self, number: u64, fault: &Fault, cause: Cause, now: Instant) {
        self.attribution.forget_witness(number);
        if fault.kind() == FaultKind::Rejected {
            self.on_answered(number, now);
        }
        let Some(scout) = self.pending.remove(&number) else {
            return;
        };
        let history = History {
            cause,
            pauses: self.breaker.pauses(),
            is_mixed: self.attribution.is_mixed(now),
            ..History::default()
        };
        if let Decision::Pause(until) = decide(Err(fault), &history, now, fastrand::f64()) {
            self.pause(until, fault, now);
            self.pipeline.log_fault(&scout.event, fault, false);
        }
    }

    /// Delays an event: on the spool, if it has a row there, so that its room in memory is free.
    fn delay(&mut self, number: u64, until: Instant) {
        if let (Some(open), Some(loader)) = (self.pending.get_mut(&number), &mut self.loader)
            && loader.park(until, open)
        {
            self.pending.remove(&number);
            return;
        }
        self.ready.delay(until, number);
    }

    /// Makes a dead letter of an event.
    pub(super) fn make_dead_letter(&mut self, number: u64, fault: Fault) {
        self.attribution.forget_witness(number);
        let Some(row) = self.pending.get(&number).map(|open| open.row) else {
            return;
        };
        self.pipeline.counters.dead.add(1);
        // All is counted before user code runs.
        if let Some(event) = self.close(number, FinalState::Dead) {
            self.pipeline
                .keep_dead_letter(DeadLetter::new(event, fault), row);
        }
    }
}

//! Attribution of failures: to one event, or to the sink.
//!
//! A failed attempt alone does not show its cause: a wrong key and a firewall that dislikes one
//! event both answer 403. The difference is in the other events: if they pass while one fails, the
//! failure is that event's own.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use tokio::time::Instant;

use crate::event::Event;
use crate::sink::FaultKind;

/// The different events that have to fail in a row before a fatal fault is the sink's.
const FATAL_EVENTS: usize = 3;
/// The failures in a row, and the different events among them, before a retryable fault is the
/// sink's.
const RETRYABLE_FAILURES: u32 = 8;
const RETRYABLE_EVENTS: usize = 3;
/// The rounds after which a rate limit is the event's own: a sink that is close to its limit also
/// accepts some events and refuses others.
const RATE_LIMITED_ROUNDS: u32 = 2;
/// The events of one organization or action that have to own their failures before those of all
/// its events count as their own.
const CLASS_EVENTS: u8 = 3;
/// The time since the last accepted event for which a class counts as failing on its own.
const CLASS_MEMORY: Duration = Duration::from_secs(600);
/// The most classes that are remembered, of each kind.
const MAX_CLASSES: usize = 256;
/// The most doublings of the thresholds, and of that of rate limits.
const MAX_DOUBLINGS: u32 = 7;
const MAX_RATE_LIMIT_DOUBLINGS: u32 = 3;
/// The time after which the thresholds return to their first values.
const DOUBLINGS_MEMORY: Duration = Duration::from_secs(600);

/// The cause of a failed attempt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Cause {
    /// Too little is known. The event waits, the others continue.
    #[default]
    Unknown,
    /// The event: others pass.
    Event,
    /// The sink: several different events fail, and none passes.
    Sink,
}

/// The failed attempts of one event.
#[derive(Clone, Debug, Default)]
pub(super) struct FailureHistory {
    /// Failed attempts that are charged to the event.
    pub(super) charged: u32,
    /// The failures that each followed the acceptance of another event after the one before.
    pub(super) rounds: u32,
    /// Set once a failure was attributed to the event.
    pub(super) is_own: bool,
    /// The time of the first failure.
    pub(super) first_at: Option<Instant>,
    /// The number of attempts that had started when the event last failed.
    last: Option<u64>,
}

impl FailureHistory {
    /// Returns whether an attempt of the event has failed.
    pub(super) fn has_failed(&self) -> bool {
        self.last.is_some()
    }
}

/// A failed attempt.
pub(super) struct Failure<'a> {
    pub(super) number: u64,
    pub(super) event: &'a Event,
    pub(super) kind: FaultKind,
    /// The number of the attempt.
    pub(super) attempt: u64,
    /// Set if the attempt was the one that probes the sink after a pause.
    pub(super) is_probe: bool,
    pub(super) now: Instant,
}

/// The failures in a row, without an accepted event in between.
#[derive(Debug, Default)]
struct Streak {
    rate_limited: HashSet<u64>,
    fatal: HashSet<u64>,
    retryable: HashSet<u64>,
    retryable_failures: u32,
    /// The first attempt that failed.
    first_attempt: u64,
    organizations: HashSet<Box<str>>,
    actions: HashSet<Box<str>>,
}

/// The attribution of failures.
#[derive(Debug, Default)]
pub(super) struct Attribution {
    /// Attempts that were started.
    started: u64,
    /// The latest attempt that the sink answered for its event alone: accepted, or rejected.
    last_pass: u64,
    passed_at: Option<Instant>,
    streak: Streak,
    /// The events that own their failures, by organization and by action.
    organizations: HashMap<Box<str>, u8>,
    actions: HashMap<Box<str>, u8>,
    /// The number of times that several failing events were wrongly taken for a failing sink.
    doublings: u32,
    doubled_at: Option<Instant>,
    /// The event whose failure was attributed to the sink. It is sent again once another one has
    /// passed: if it fails again, the failure was its own.
    witness: Option<u64>,
}

impl Attribution {
    /// Notes the start of an attempt, and returns its number.
    pub(super) fn start(&mut self) -> u64 {
        self.started += 1;
        self.started
    }

    /// Returns the number of attempts that were started.
    pub(super) fn started(&self) -> u64 {
        self.started
    }

    /// Notes that the sink accepted or rejected an event, in the attempt of this number.
    pub(super) fn passed(&mut self, event: &Event, attempt: u64, now: Instant) {
        self.last_pass = self.last_pass.max(attempt);
        self.passed_at = Some(now);
        self.organizations.remove(organization(event));
        self.actions.remove(event.action());
        // An attempt that started before the first one that failed proves nothing about the later.
        if attempt > self.streak.first_attempt {
            self.streak = Streak::default();
        }
    }

    /// Returns the cause of a failed attempt, and adds the failure to the event's history.
    pub(super) fn attribute(&mut self, history: &mut FailureHistory, failure: &Failure) -> Cause {
        let others_passed = history.last.is_some_and(|last| self.last_pass > last);
        history.last = Some(self.started);
        history.first_at.get_or_insert(failure.now);
        history.rounds += u32::from(others_passed);
        let rounds_needed = match failure.kind {
            FaultKind::RateLimited => RATE_LIMITED_ROUNDS,
            _ => 1,
        };
        let is_proven = others_passed && history.rounds >= rounds_needed;
        if is_proven && !history.is_own {
            self.note_class(failure.event);
        }
        if is_proven || history.is_own || self.is_class_failing(failure.event, failure.now) {
            history.is_own = true;
            if self.witness == Some(failure.number) {
                self.witness = None;
                self.double(failure.now);
            }
            return Cause::Event;
        }
        self.extend_streak(failure);
        if failure.is_probe || self.is_streak_long(failure) {
            self.witness.get_or_insert(failure.number);
            return Cause::Sink;
        }
        Cause::Unknown
    }

    fn extend_streak(&mut self, failure: &Failure) {
        let streak = &mut self.streak;
        if streak.is_empty() {
            streak.first_attempt = failure.attempt;
        }
        let events = match failure.kind {
            FaultKind::RateLimited => &mut streak.rate_limited,
            FaultKind::Fatal => &mut streak.fatal,
            _ => {
                streak.retryable_failures = streak.retryable_failures.saturating_add(1);
                &mut streak.retryable
            }
        };
        // Beyond the longest threshold no more need to be counted.
        if events.len() < RETRYABLE_FAILURES as usize * (1 << MAX_DOUBLINGS) {
            events.insert(failure.number);
        }
        add(&mut streak.organizations, organization(failure.event));
        add(&mut streak.actions, failure.event.action());
    }

    fn is_streak_long(&self, failure: &Failure) -> bool {
        let streak = &self.streak;
        let doublings = match self.doubled_at {
            Some(at) if failure.now < at + DOUBLINGS_MEMORY => self.doublings,
            _ => 0,
        };
        match failure.kind {
            FaultKind::RateLimited => {
                streak.rate_limited.len() >= 1 << doublings.min(MAX_RATE_LIMIT_DOUBLINGS)
            }
            FaultKind::Fatal => streak.fatal.len() >= FATAL_EVENTS << doublings,
            _ => {
                streak.retryable_failures >= RETRYABLE_FAILURES << doublings
                    && streak.retryable.len() >= RETRYABLE_EVENTS << doublings
            }
        }
    }

    /// Doubles the thresholds, since the sink accepted events while several others failed.
    fn double(&mut self, now: Instant) {
        if self
            .doubled_at
            .is_some_and(|at| now >= at + DOUBLINGS_MEMORY)
        {
            self.doublings = 0;
        }
        self.doublings = (self.doublings + 1).min(MAX_DOUBLINGS);
        self.doubled_at = Some(now);
    }

    /// Returns whether failing events were recently taken for a failing sink.
    pub(super) fn is_mixed(&self, now: Instant) -> bool {
        self.doubled_at
            .is_some_and(|at| now < at + DOUBLINGS_MEMORY)
    }

    /// Returns the event whose next attempt shows if the pause that ended was its own fault.
    pub(super) fn witness(&self) -> Option<u64> {
        self.witness
    }

    /// Forgets the witness, which has passed or reached its final state.
    pub(super) fn forget_witness(&mut self, number: u64) {
        if self.witness == Some(number) {
            self.witness = None;
        }
    }

    /// Returns the rank of an event as a probe; the lowest is the best.
    ///
    /// The best probe has never been tried and shares neither organization nor action with an event
    /// that failed. An event that owns its failures is never a probe: `None`.
    pub(super) fn probe_rank(&self, history: &FailureHistory, event: &Event) -> Option<u8> {
        let fails = |classes: &HashSet<Box<str>>, class: &str| u8::from(classes.contains(class));
        let shared = fails(&self.streak.organizations, organization(event))
            + fails(&self.streak.actions, event.action());
        (!history.is_own).then(|| 4 * u8::from(history.has_failed()) + shared)
    }

    /// Returns whether a new event has good prospects while others fail: neither its organization
    /// nor its action is among theirs, or not both.
    pub(super) fn is_promising(&self, event: &Event) -> bool {
        !(self.streak.organizations.contains(organization(event))
            && self.streak.actions.contains(event.action()))
    }

    fn note_class(&mut self, event: &Event) {
        for (classes, class) in [
            (&mut self.organizations, organization(event)),
            (&mut self.actions, event.action()),
        ] {
            if let Some(events) = classes.get_mut(class) {
                *events = events.saturating_add(1);
            } else if classes.len() < MAX_CLASSES {
                classes.insert(class.into(), 1);
            }
        }
    }

    fn is_class_failing(&self, event: &Event, now: Instant) -> bool {
        let fails = |classes: &HashMap<Box<str>, u8>, class: &str| {
            classes
                .get(class)
                .is_some_and(|events| *events >= CLASS_EVENTS)
        };
        self.passed_at.is_some_and(|at| now < at + CLASS_MEMORY)
            && (fails(&self.organizations, organization(event))
                || fails(&self.actions, event.action()))
    }
}

impl Streak {
    fn is_empty(&self) -> bool {
        self.rate_limited.is_empty() && self.fatal.is_empty() && self.retryable.is_empty()
    }
}

fn add(classes: &mut HashSet<Box<str>>, class: &str) {
    if classes.len() < MAX_CLASSES && !classes.contains(class) {
        classes.insert(class.into());
    }
}

fn organization(event: &Event) -> &str {
    event.organization().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The attribution with the time and the number of its last attempt.
    struct Sink {
        attribution: Attribution,
        now: Instant,
    }

    impl Sink {
        fn new() -> Self {
            Self {
                attribution: Attribution::default(),
                now: Instant::now(),
            }
        }

        fn pass(&mut self, event: &Event) {
            let attempt = self.attribution.start();
            self.attribution.passed(event, attempt, self.now);
        }

        fn fail(
            &mut self,
            number: u64,
            sent: &mut (Event, FailureHistory),
            kind: FaultKind,
        ) -> Cause {
            let attempt = self.attribution.start();
            let failure = Failure {
                number,
                event: &sent.0,
                kind,
                attempt,
                is_probe: false,
                now: self.now,
            };
            self.attribution.attribute(&mut sent.1, &failure)
        }
    }

    fn event(action: &'static str, organization: &str) -> (Event, FailureHistory) {
        let event = Event::builder(action).organization(organization);
        (event.build().unwrap(), FailureHistory::default())
    }

    #[test]
    fn an_event_that_fails_again_after_another_passed_owns_its_failure() {
        for kind in [
            FaultKind::Fatal,
            FaultKind::Retryable,
            FaultKind::ConnectionLost,
        ] {
            let mut sink = Sink::new();
            let mut bad = event("a", "org_1");
            assert_eq!(sink.fail(1, &mut bad, kind), Cause::Unknown);
            assert_eq!(sink.fail(1, &mut bad, kind), Cause::Unknown);
            sink.pass(&event("a", "org_1").0);
            assert_eq!(sink.fail(1, &mut bad, kind), Cause::Event);
            assert_eq!(bad.1.rounds, 1);
            // Without another one that passes it is no further round.
            assert_eq!(sink.fail(1, &mut bad, kind), Cause::Event);
            assert_eq!(bad.1.rounds, 1);
        }
    }

    #[test]
    fn a_rate_limit_is_the_events_own_after_two_rounds() {
        let mut sink = Sink::new();
        let mut bad = event("a", "org_1");
        for expected in [Cause::Sink, Cause::Sink, Cause::Event] {
            assert_eq!(sink.fail(1, &mut bad, FaultKind::RateLimited), expected);
            sink.pass(&event("a", "org_1").0);
        }
    }

    #[test]
    fn several_different_events_without_a_pass_are_the_sinks_failure() {
        for (kind, different, failures) in [
            (FaultKind::Fatal, 3, 3),
            (FaultKind::Retryable, 3, 8),
            (FaultKind::RateLimited, 1, 1),
        ] {
            let mut sink = Sink::new();
            let mut events: Vec<_> = (0..different).map(|_| event("a", "org_1")).collect();
            let causes: Vec<_> = (0..failures)
                .map(|failure| {
                    let number = failure % different;
                    sink.fail(number as u64, &mut events[number], kind)
                })
                .collect();
            let (last, before) = causes.split_last().unwrap();
            assert_eq!(*last, Cause::Sink, "{kind:?}");
            assert!(
                before.iter().all(|cause| *cause == Cause::Unknown),
                "{kind:?}"
            );
        }
    }

    #[test]
    fn an_attempt_that_started_before_the_failures_ends_no_streak() {
        let mut sink = Sink::new();
        let early = sink.attribution.start();
        let mut events = [(); 3].map(|()| event("a", "org_1"));
        for (number, sent) in events.iter_mut().enumerate().take(2) {
            sink.fail(number as u64, sent, FaultKind::Fatal);
        }
        sink.attribution
            .passed(&event("b", "org_2").0, early, sink.now);
        assert_eq!(sink.fail(2, &mut events[2], FaultKind::Fatal), Cause::Sink);
    }

    #[test]
    fn a_wrong_diagnosis_doubles_the_threshold_for_a_time() {
        let mut sink = Sink::new();
        let fail_until_sink = |sink: &mut Sink, first: u64| {
            (1..=1_000_u64)
                .find(|next| {
                    let mut sent = event("a", &format!("org_{}", first + next));
                    sink.fail(first + next, &mut sent, FaultKind::Fatal) == Cause::Sink
                })
                .unwrap()
        };
        assert_eq!(fail_until_sink(&mut sink, 0), 3);
        let witness = sink.attribution.witness().unwrap();
        let mut sent = event("a", "org_3");
        sent.1.last = Some(sink.attribution.started());
        sink.pass(&event("b", "org_b").0);
        assert_eq!(
            sink.fail(witness, &mut sent, FaultKind::Fatal),
            Cause::Event
        );
        sink.pass(&event("b", "org_b").0);
        assert!(sink.attribution.is_mixed(sink.now));
        assert_eq!(fail_until_sink(&mut sink, 10), 6);
        sink.now += DOUBLINGS_MEMORY;
        sink.pass(&event("b", "org_b").0);
        assert!(!sink.attribution.is_mixed(sink.now));
        assert_eq!(fail_until_sink(&mut sink, 100), 3);
    }

    #[test]
    fn a_class_of_which_three_events_own_their_failures_fails_as_a_whole_until_one_passes() {
        let mut sink = Sink::new();
        let good = event("document.read", "org_good").0;
        for number in 0..3 {
            let mut bad = event("document.delete", &format!("org_{number}"));
            sink.fail(number, &mut bad, FaultKind::Fatal);
            sink.pass(&good);
            assert_eq!(sink.fail(number, &mut bad, FaultKind::Fatal), Cause::Event);
            sink.pass(&good);
        }
        let mut alike = event("document.delete", "org_9");
        assert_eq!(sink.fail(9, &mut alike, FaultKind::Fatal), Cause::Event);
        sink.pass(&event("document.delete", "org_7").0);
        let mut later = event("document.delete", "org_8");
        assert_eq!(sink.fail(8, &mut later, FaultKind::Fatal), Cause::Unknown);
    }

    #[test]
    fn the_best_probe_was_never_tried_and_resembles_no_failing_event() {
        let mut sink = Sink::new();
        let mut bad = event("document.delete", "org_1");
        sink.fail(1, &mut bad, FaultKind::Fatal);
        let rank = |sent: &(Event, FailureHistory)| sink.attribution.probe_rank(&sent.1, &sent.0);
        assert_eq!(rank(&event("document.read", "org_2")), Some(0));
        assert_eq!(rank(&event("document.read", "org_1")), Some(1));
        assert_eq!(rank(&event("document.delete", "org_1")), Some(2));
        assert_eq!(rank(&bad), Some(6));
        bad.1.is_own = true;
        assert_eq!(rank(&bad), None);
    }
}

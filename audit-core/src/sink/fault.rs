//! The reason for a failed attempt, and its consequence for the event.

use std::fmt;
use std::time::Duration;

/// The reason why an attempt failed, which decides what happens to the event.
///
/// Its text is the reason given by the sink or the service. It contains no key and no content of
/// the event.
#[derive(Clone, PartialEq, Eq)]
pub struct Fault {
    kind: FaultKind,
    reason: String,
    retry_after: Option<Duration>,
    /// Set if the sink certainly did not receive the event.
    not_sent: bool,
    /// Set if the sink may have accepted the event although the fault is none of delivery.
    maybe_accepted: bool,
}

/// The class of a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FaultKind {
    /// The event is retried, with backoff.
    Retryable,
    /// The connection broke before a response came; the event is retried, the first time
    /// immediately.
    ConnectionLost,
    /// The event is retried after a pause, during which no other event is sent either.
    RateLimited,
    /// The sink rejected the event for good.
    Rejected,
    /// The sink accepts no event until an operator fixes the configuration.
    Fatal,
    /// The sink panicked on the event.
    Panicked,
    /// The recorder ended before the sink accepted the event.
    Lost,
}

impl Fault {
    /// Creates a fault after which the event is retried with backoff, such as an overloaded server.
    pub fn retryable(reason: impl Into<String>) -> Self {
        Self::new(FaultKind::Retryable, reason)
    }

    /// Creates a fault for a connection that broke before a response came.
    ///
    /// The sink may have accepted the event. The event is retried, the first time immediately,
    /// since a connection that was idle for long often breaks on its next use.
    pub fn connection_lost(reason: impl Into<String>) -> Self {
        Self::new(FaultKind::ConnectionLost, reason)
    }

    /// Creates a fault by which the sink asks for a pause, such as too many requests.
    ///
    /// No event is sent during the pause.
    pub fn rate_limited(reason: impl Into<String>) -> Self {
        Self::new(FaultKind::RateLimited, reason)
    }

    /// Creates a fault for an event that the sink will never accept.
    ///
    /// The event becomes a dead letter with this reason.
    pub fn rejected(reason: impl Into<String>) -> Self {
        Self::new(FaultKind::Rejected, reason)
    }

    /// Creates a fault for a sink that accepts no event until an operator fixes the configuration,
    /// such as a wrong key or address.
    ///
    /// Events are kept, and one is retried from time to time.
    pub fn fatal(reason: impl Into<String>) -> Self {
        Self::new(FaultKind::Fatal, reason)
    }

    pub(crate) fn panicked() -> Self {
        Self::new(FaultKind::Panicked, "the sink panicked on this event")
    }

    /// Creates the fault of an attempt that did not end within its time limit.
    pub(crate) fn timed_out(limit: Duration) -> Self {
        Self::retryable(format!("the sink did not answer within {limit:?}"))
    }

    /// Creates the fault of an event that failed in `attempts` attempts, while others passed.
    pub(crate) fn given_up(attempts: u32, last: &Self) -> Self {
        if last.is_fatal() {
            return Self::rejected(format!("rejected alone: {last}"));
        }
        Self::rejected(format!(
            "given up after {attempts} attempts, while other events passed: {last}"
        ))
    }

    pub(crate) fn lost(reason: impl Into<String>) -> Self {
        Self::new(FaultKind::Lost, reason)
    }

    fn new(kind: FaultKind, reason: impl Into<String>) -> Self {
        Self {
            kind,
            reason: reason.into(),
            retry_after: None,
            not_sent: false,
            maybe_accepted: false,
        }
    }

    /// Sets the wait that the sink asked for, such as a `Retry-After`.
    #[must_use]
    pub fn after(mut self, wait: Option<Duration>) -> Self {
        self.retry_after = wait;
        self
    }

    /// Marks the event as certainly not received by the sink, for example because no connection was
    /// made.
    ///
    /// Without this mark, a retryable fault or a lost connection is ambiguous: the attempt may have
    /// been a delivery. The service remembers idempotency keys for 24 hours; an event whose first
    /// ambiguous attempt is older is retried with `maybe_duplicate` in its metadata.
    #[must_use]
    pub fn not_sent(mut self) -> Self {
        self.not_sent = true;
        self
    }

    /// Marks the event as possibly accepted by the sink, although the fault says otherwise: for
    /// example a response of success whose content is not the service's.
    ///
    /// A fatal fault, or one of a rate limit, is ambiguous with this mark only.
    #[must_use]
    pub fn maybe_accepted(mut self) -> Self {
        self.maybe_accepted = true;
        self
    }

    /// Returns `true` if the same event may be sent again without a change.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(
            self.kind,
            FaultKind::Retryable | FaultKind::ConnectionLost | FaultKind::RateLimited
        )
    }

    /// Returns `true` if the sink may have accepted the event although the attempt failed.
    #[must_use]
    pub fn is_ambiguous(&self) -> bool {
        let is_open = matches!(self.kind, FaultKind::Retryable | FaultKind::ConnectionLost);
        (is_open || self.maybe_accepted) && !self.not_sent
    }

    /// Returns `true` if the event was lost because the recorder ended before the sink accepted it.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.kind == FaultKind::Lost
    }

    /// Returns `true` if the event was rejected for good, or the sink panicked on it.
    #[must_use]
    pub fn is_rejected(&self) -> bool {
        matches!(self.kind, FaultKind::Rejected | FaultKind::Panicked)
    }

    /// Returns `true` if the sink accepts no event until an operator fixes the configuration.
    #[must_use]
    pub fn is_fatal(&self) -> bool {
        self.kind == FaultKind::Fatal
    }

    /// Returns the wait that the sink asked for, if it asked for one.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    pub(crate) fn kind(&self) -> FaultKind {
        self.kind
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fault")
            .field("kind", &self.kind)
            .field("reason", &self.reason)
            .finish_non_exhaustive()
    }
}

impl std::error::Error for Fault {}

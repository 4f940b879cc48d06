//! The reason for a failed attempt, and its consequence for the event.

use std::fmt;
use std::time::Duration;

/// Why an attempt failed, and what that means for the event.
///
/// Its text is the service's or the sink's own reason; it holds no key and no content of the event.
#[derive(Clone, PartialEq, Eq)]
pub struct Fault {
    kind: FaultKind,
    reason: String,
    retry_after: Option<Duration>,
    /// Whether the sink surely did not see the event.
    not_sent: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FaultKind {
    /// The same event may be sent again.
    Retryable,
    /// The connection broke before an answer came; the same event may be sent again, the first time
    /// at once.
    ConnectionLost,
    /// The same event may be sent again, and until then no other either.
    RateLimited,
    /// The event was refused for good.
    Rejected,
    /// Nothing is taken at all until somebody mends the set-up.
    Fatal,
    /// The sink panicked.
    Panicked,
    /// The recorder ended first.
    Lost,
}

impl Fault {
    /// The same event may be sent again: a broken connection, an overloaded server.
    pub fn retryable(reason: impl Into<String>) -> Self {
        Self::new(FaultKind::Retryable, reason)
    }

    /// The connection broke before an answer came, so the sink may have taken the event or not. The
    /// same event is sent again, the first time at once: a connection that was idle for long breaks
    /// like this on the next use.
    pub fn connection_lost(reason: impl Into<String>) -> Self {
        Self::new(FaultKind::ConnectionLost, reason)
    }

    /// The sink asks for a pause from everything: too many requests.
    pub fn rate_limited(reason: impl Into<String>) -> Self {
        Self::new(FaultKind::RateLimited, reason)
    }

    /// This event will never be taken. It becomes a dead letter with this reason.
    pub fn rejected(reason: impl Into<String>) -> Self {
        Self::new(FaultKind::Rejected, reason)
    }

    /// No event will be taken until somebody mends the set-up: a wrong key, a wrong address. Events
    /// are kept meanwhile.
    pub fn fatal(reason: impl Into<String>) -> Self {
        Self::new(FaultKind::Fatal, reason)
    }

    pub(crate) fn panicked() -> Self {
        Self::new(FaultKind::Panicked, "the sink panicked on this event")
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
        }
    }

    /// With the wait that the sink asked for.
    #[must_use]
    pub fn after(mut self, wait: Option<Duration>) -> Self {
        self.retry_after = wait;
        self
    }

    /// With the assurance that the sink did not see the event: no connection was made. Without it,
    /// a retryable or interrupted attempt may have been a delivery; when such a doubt is older than
    /// the service remembers idempotency keys, 24 hours, the event is repeated with
    /// `maybe_duplicate` in its metadata.
    #[must_use]
    pub fn not_sent(mut self) -> Self {
        self.not_sent = true;
        self
    }

    /// Whether the same event may be sent again without a change.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(
            self.kind,
            FaultKind::Retryable | FaultKind::ConnectionLost | FaultKind::RateLimited
        )
    }

    /// Whether the sink may have taken the event all the same.
    #[must_use]
    pub fn is_ambiguous(&self) -> bool {
        matches!(self.kind, FaultKind::Retryable | FaultKind::ConnectionLost) && !self.not_sent
    }

    /// Whether the event was lost because the recorder ended before the sink took it.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.kind == FaultKind::Lost
    }

    /// Whether this event was refused for good.
    #[must_use]
    pub fn is_rejected(&self) -> bool {
        matches!(self.kind, FaultKind::Rejected | FaultKind::Panicked)
    }

    /// Whether nothing is taken until somebody mends the set-up.
    #[must_use]
    pub fn is_fatal(&self) -> bool {
        self.kind == FaultKind::Fatal
    }

    /// How long the sink asked to wait, if it did.
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

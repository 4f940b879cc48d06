//! The outcome of an audited operation.

use std::fmt;

use http::StatusCode;

/// The outcome of an audited operation.
///
/// The event's metadata has it under `outcome`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// The function returned, and its value does not determine the outcome.
    ///
    /// A web layer settles it by the status of the response; elsewhere it counts as
    /// [`Outcome::Succeeded`].
    Unknown,
    /// The operation succeeded.
    Succeeded,
    /// The operation was refused for lack of permission.
    Denied,
    /// The operation failed.
    Failed,
    /// The function panicked.
    Panicked,
    /// The function was dropped before it finished, as when a client disconnects early.
    Abandoned,
}

impl Outcome {
    pub(crate) const ALL: [Outcome; 6] = [
        Self::Unknown,
        Self::Succeeded,
        Self::Denied,
        Self::Failed,
        Self::Panicked,
        Self::Abandoned,
    ];

    /// Returns the value on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Succeeded => "succeeded",
            Self::Denied => "denied",
            Self::Failed => "failed",
            Self::Panicked => "panicked",
            Self::Abandoned => "abandoned",
        }
    }

    /// Returns the outcome of an HTTP status: 401 and 403 are denials, other 4xx and 5xx failures,
    /// the rest successes.
    #[must_use]
    pub fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Self::Denied,
            status if status.is_client_error() || status.is_server_error() => Self::Failed,
            _ => Self::Succeeded,
        }
    }

    /// Returns the outcome after a web layer has seen the status of the response.
    ///
    /// The status settles an unknown outcome, and turns a failure into a denial if it is 401 or
    /// 403. It never demotes a success.
    #[must_use]
    pub fn settled(self, status: StatusCode) -> Self {
        match (self, Self::of_status(status)) {
            (Self::Unknown, settled) => settled,
            (Self::Failed, Self::Denied) => Self::Denied,
            (known, _) => known,
        }
    }

    /// Returns whether the outcome is a denial, or a status can still make it one.
    pub(crate) fn may_be_denied(self) -> bool {
        matches!(self, Self::Unknown | Self::Failed | Self::Denied)
    }

    pub(crate) fn to_byte(self) -> u8 {
        self as u8
    }

    /// Returns a set of outcomes as bits.
    pub(crate) const fn mask(outcomes: &[Outcome]) -> u8 {
        let mut mask = 0;
        let mut index = 0;
        while index < outcomes.len() {
            mask |= 1 << outcomes[index] as u8;
            index += 1;
        }
        mask
    }

    pub(crate) fn from_byte(byte: u8) -> Self {
        Self::ALL
            .get(usize::from(byte))
            .copied()
            .unwrap_or(Self::Unknown)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A return value, or an error, that determines the outcome of the operation.
///
/// Without it, `Ok` is a success and `Err` a failure, which a web layer turns into a denial if the
/// response is 401 or 403. Implement it for an error type whose meaning should not depend on the
/// layer.
///
/// ```
/// use audit_core::{AuditOutcome, Outcome};
///
/// enum AppError { Forbidden, Database }
///
/// impl AuditOutcome for AppError {
///     fn audit_outcome(&self) -> Outcome {
///         match self {
///             AppError::Forbidden => Outcome::Denied,
///             AppError::Database => Outcome::Failed,
///         }
///     }
/// }
/// ```
pub trait AuditOutcome {
    /// Returns the outcome.
    fn audit_outcome(&self) -> Outcome;
}

impl AuditOutcome for Outcome {
    fn audit_outcome(&self) -> Outcome {
        *self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_that_a_status_can_deny_are_known_beforehand() {
        for outcome in Outcome::ALL {
            let denied = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN]
                .map(|status| outcome.settled(status) == Outcome::Denied);
            assert_eq!(denied, [outcome.may_be_denied(); 2], "{outcome}");
        }
    }

    #[test]
    fn bytes_name_every_outcome() {
        for outcome in Outcome::ALL {
            assert_eq!(Outcome::from_byte(outcome.to_byte()), outcome);
        }
    }

    #[test]
    fn a_status_settles_what_is_unknown_and_never_demotes_a_success() {
        let (ok, denied, broken) = (
            StatusCode::OK,
            StatusCode::FORBIDDEN,
            StatusCode::BAD_GATEWAY,
        );
        assert_eq!(Outcome::Unknown.settled(ok), Outcome::Succeeded);
        assert_eq!(
            Outcome::Unknown.settled(StatusCode::UNAUTHORIZED),
            Outcome::Denied
        );
        assert_eq!(Outcome::Unknown.settled(broken), Outcome::Failed);
        assert_eq!(Outcome::Failed.settled(denied), Outcome::Denied);
        assert_eq!(Outcome::Failed.settled(ok), Outcome::Failed);
        assert_eq!(Outcome::Succeeded.settled(broken), Outcome::Succeeded);
        assert_eq!(Outcome::Panicked.settled(broken), Outcome::Panicked);
        assert_eq!(Outcome::Abandoned.settled(ok), Outcome::Abandoned);
    }
}

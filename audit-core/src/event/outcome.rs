//! How an audited operation ended.

use std::fmt;

use http::StatusCode;

/// How an audited operation ended.
///
/// The event's metadata names it under `outcome`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// The function returned, and its value does not say how it went. A web layer settles it by the
    /// status of the response; elsewhere, having returned counts as [`Outcome::Succeeded`].
    Unknown,
    /// It did what was asked.
    Succeeded,
    /// Refused for want of permission.
    Denied,
    /// It did not do what was asked.
    Failed,
    /// It panicked.
    Panicked,
    /// It was dropped before it finished, as when a client hangs up early.
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

    /// The word on the wire.
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

    /// What an HTTP status says: 401 and 403 are denials, other 4xx and 5xx failures, the rest
    /// successes.
    #[must_use]
    pub fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Self::Denied,
            status if status.is_client_error() || status.is_server_error() => Self::Failed,
            _ => Self::Succeeded,
        }
    }

    /// The outcome after a web layer has seen the status of the answer: the status settles what is
    /// unknown, and turns a failure into a denial when the answer is 401 or 403. It never demotes a
    /// success.
    #[must_use]
    pub fn settled(self, status: StatusCode) -> Self {
        match (self, Self::of_status(status)) {
            (Self::Unknown, settled) => settled,
            (Self::Failed, Self::Denied) => Self::Denied,
            (known, _) => known,
        }
    }

    /// Whether it is a denial, or a status can still make it one.
    pub(crate) fn may_be_denied(self) -> bool {
        matches!(self, Self::Unknown | Self::Failed | Self::Denied)
    }

    pub(crate) fn to_byte(self) -> u8 {
        self as u8
    }

    /// A set of outcomes, a bit for each.
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

/// A return value, or an error, that knows how the operation ended.
///
/// Without it, `Ok` is a success and `Err` a failure, which a web layer turns into a denial when
/// the answer is 401 or 403. Implement it for an error type whose meaning should not depend on the
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
    /// How the operation ended.
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
    fn what_a_status_can_make_a_denial_is_known_beforehand() {
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

//! What goes wrong.

use serde::Serialize;

/// Why a request was not done. It needs nothing of the audit framework: the layer sees by the
/// status that 401 and 403 are denials.
#[derive(Clone, Copy, Debug)]
pub enum AppError {
    /// Nobody is signed in, or the password is wrong.
    Unauthorized,
    /// Somebody is signed in, and may not do this.
    Forbidden,
    /// There is no such thing in the caller's organization.
    NotFound,
    /// The request makes no sense; why.
    Invalid(&'static str),
}

/// The body of an answer that is an error.
#[derive(Debug, Serialize)]
pub(super) struct ErrorBody {
    message: &'static str,
}

impl AppError {
    /// The status of the answer.
    pub(super) fn status(self) -> u16 {
        match self {
            Self::Unauthorized => 401,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::Invalid(_) => 422,
        }
    }

    /// What is told to the caller.
    pub(super) fn message(self) -> &'static str {
        match self {
            Self::Unauthorized => "sign in first: POST /sessions",
            Self::Forbidden => "your role does not allow this",
            Self::NotFound => "not found",
            Self::Invalid(why) => why,
        }
    }

    /// The body of the answer.
    pub(super) fn body(self) -> ErrorBody {
        let message = self.message();
        ErrorBody { message }
    }
}

//! The error of all handlers.

use serde::Serialize;

/// The error of a request.
///
/// It needs no code for the audit framework: the layer recognizes denials by the statuses 401 and
/// 403.
#[derive(Clone, Copy, Debug)]
pub enum AppError {
    /// The request has no session, or the password is wrong.
    Unauthorized,
    /// The user is not allowed to do this.
    Forbidden,
    /// The organization of the user has no such object.
    NotFound,
    /// The request is invalid, with the reason.
    Invalid(&'static str),
}

/// The response body of an error.
#[derive(Debug, Serialize)]
pub(super) struct ErrorBody {
    message: &'static str,
}

impl AppError {
    /// Returns the status of the response.
    pub(super) fn status(self) -> u16 {
        match self {
            Self::Unauthorized => 401,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::Invalid(_) => 422,
        }
    }

    /// Returns the message for the client.
    pub(super) fn message(self) -> &'static str {
        match self {
            Self::Unauthorized => "sign in first: POST /sessions",
            Self::Forbidden => "your role does not allow this",
            Self::NotFound => "not found",
            Self::Invalid(reason) => reason,
        }
    }

    /// Returns the response body.
    pub(super) fn body(self) -> ErrorBody {
        let message = self.message();
        ErrorBody { message }
    }
}

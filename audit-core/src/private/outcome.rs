//! Reads the outcome of a returned value, without a bound on the user's types.
//!
//! `(&mut Probe(&value)).__audit_close(draft)` makes method resolution try one receiver type after
//! the other, so that the most specific implementation of [`OutcomeOf`] is used (autoref
//! specialization). The levels, in this order:
//!
//! | level | receiver | reached by | returned value |
//! | --- | --- | --- | --- |
//! | 1 | `&mut Probe` | no adjustment | a type that implements [`AuditOutcome`]; a `Result` of a response and an error that does |
//! | 2 | `&&mut Probe` | a reference | a response; a `Result` of a response and any error |
//! | 3 | `&mut &mut Probe` | a mutable reference | a `Result` of anything and an error that implements [`AuditOutcome`] |
//! | 4 | `Probe` | a dereference | any `Result` |
//! | 5 | `&Probe` | a dereference and a reference | any other value |
//!
//! A single trait with two dereference steps of up to three levels each, because the compiler tries
//! all candidates for every audited function. Type aliases and `impl Trait` do not hide a type.

use http::StatusCode;

use crate::delivery::DurableWait;
use crate::event::{AuditOutcome, Outcome};
use crate::scope::Draft;

/// A returned value, by reference.
///
/// `Copy`, because the fourth level takes it from behind a reference.
#[derive(Debug)]
pub struct Probe<'a, T: ?Sized>(pub &'a T);

impl<T: ?Sized> Clone for Probe<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: ?Sized> Copy for Probe<'_, T> {}

/// Types that have an HTTP status: responses, statuses, and tuples that begin with one, as axum
/// takes them.
pub trait Response {
    /// The status.
    fn status(&self) -> StatusCode;
}

impl Response for StatusCode {
    fn status(&self) -> StatusCode {
        *self
    }
}

impl<B> Response for http::Response<B> {
    fn status(&self) -> StatusCode {
        http::Response::status(self)
    }
}

macro_rules! tuples {
    ($($rest:ident)*) => {
        impl<R: Response, $($rest),*> Response for (R, $($rest,)*) {
            fn status(&self) -> StatusCode {
                self.0.status()
            }
        }
    };
}
tuples!(A);
tuples!(A B);
tuples!(A B C);
tuples!(A B C D);
tuples!(A B C D E);
tuples!(A B C D E F);
tuples!(A B C D E F G);
tuples!(A B C D E F G H);

/// Reads the outcome of one kind of returned value; each implementation is a level.
pub trait OutcomeOf {
    /// Returns the outcome. The name cannot collide with a trait that a user has in scope.
    fn __audit_outcome(self) -> Outcome;

    /// Closes the draft of a call that returned the value. Expansions call only this.
    fn __audit_close(self, draft: Draft)
    where
        Self: Sized,
    {
        crate::private::close(draft, self.__audit_outcome());
    }

    /// Closes the draft of a durable event, and returns the wait for its write.
    fn __audit_close_durable(self, draft: Draft) -> DurableWait
    where
        Self: Sized,
    {
        crate::private::close_durable(draft, self.__audit_outcome())
    }
}

macro_rules! levels {
    ($([$($generics:tt)*] $probe:ty, |$value:ident| $outcome:expr;)*) => {$(
        impl<$($generics)*> OutcomeOf for $probe {
            fn __audit_outcome(self) -> Outcome {
                let $value = self.0;
                $outcome
            }
        }
    )*};
}

// No crate can implement `AuditOutcome` or `Response` for a `Result`, so the implementations of one
// level never overlap.
levels! {
    [T: AuditOutcome + ?Sized] &mut Probe<'_, T>, |value| value.audit_outcome();

    [R: Response, E: AuditOutcome] &mut Probe<'_, Result<R, E>>, |value| match value {
        Ok(response) => Outcome::of_status(response.status()),
        Err(error) => error.audit_outcome(),
    };

    [R: Response] &&mut Probe<'_, R>, |value| Outcome::of_status(value.status());

    [R: Response, E] &&mut Probe<'_, Result<R, E>>, |value| match value {
        Ok(response) => Outcome::of_status(response.status()),
        Err(_) => Outcome::Failed,
    };

    [T, E: AuditOutcome] &mut &mut Probe<'_, Result<T, E>>, |value| match value {
        Ok(_) => Outcome::Succeeded,
        Err(error) => error.audit_outcome(),
    };

    [T, E] Probe<'_, Result<T, E>>, |value| match value {
        Ok(_) => Outcome::Succeeded,
        Err(_) => Outcome::Failed,
    };

    // A web layer sets the outcome later.
    [T: ?Sized] &Probe<'_, T>, |_value| Outcome::Unknown;
}

#[cfg(test)]
mod tests {
    use super::*;

    macro_rules! outcome {
        ($value:expr) => {
            (&mut Probe(&$value)).__audit_outcome()
        };
    }

    enum AppError {
        Forbidden,
        Broken,
    }

    impl AuditOutcome for AppError {
        fn audit_outcome(&self) -> Outcome {
            match self {
                AppError::Forbidden => Outcome::Denied,
                AppError::Broken => Outcome::Failed,
            }
        }
    }

    fn response(status: u16) -> http::Response<()> {
        http::Response::builder().status(status).body(()).unwrap()
    }

    #[test]
    fn a_result_is_succeeded_or_failed() {
        assert_eq!(outcome!(Ok::<_, String>(1)), Outcome::Succeeded);
        assert_eq!(outcome!(Err::<(), _>("no")), Outcome::Failed);
    }

    #[test]
    fn a_response_inside_a_result_is_read() {
        assert_eq!(outcome!(Ok::<_, String>(response(500))), Outcome::Failed);
        assert_eq!(
            outcome!(Ok::<_, String>((StatusCode::FORBIDDEN, "no"))),
            Outcome::Denied
        );
        assert_eq!(
            outcome!(Ok::<_, AppError>(StatusCode::NO_CONTENT)),
            Outcome::Succeeded
        );
        assert_eq!(
            outcome!(Err::<StatusCode, _>(AppError::Forbidden)),
            Outcome::Denied
        );
    }

    #[test]
    fn the_outcome_of_an_error_is_used() {
        assert_eq!(outcome!(Err::<(), _>(AppError::Forbidden)), Outcome::Denied);
        assert_eq!(outcome!(Err::<(), _>(AppError::Broken)), Outcome::Failed);
        assert_eq!(outcome!(Ok::<(), AppError>(())), Outcome::Succeeded);
        assert_eq!(outcome!(AppError::Forbidden), Outcome::Denied);
    }

    #[test]
    fn a_response_is_read_and_anything_else_is_unknown() {
        assert_eq!(outcome!(StatusCode::UNAUTHORIZED), Outcome::Denied);
        assert_eq!(outcome!(response(404)), Outcome::Failed);
        assert_eq!(
            outcome!((StatusCode::CREATED, [("location", "/1")], "made")),
            Outcome::Succeeded
        );
        assert_eq!(outcome!(()), Outcome::Unknown);
        assert_eq!(outcome!("text"), Outcome::Unknown);
    }

    #[test]
    fn generics_aliases_and_opaque_types_do_not_hide_a_result() {
        type Answer<T> = Result<T, String>;
        fn generic<T>(value: Answer<T>) -> Outcome {
            outcome!(value)
        }
        assert_eq!(generic(Ok(())), Outcome::Succeeded);
        assert_eq!(generic::<()>(Err(String::new())), Outcome::Failed);
        fn bare<T>(value: T) -> Outcome {
            outcome!(value)
        }
        assert_eq!(bare(1), Outcome::Unknown);
    }
}

//! Reads the outcome of a returned value, without a bound on the user's types.
//!
//! `(&mut Probe(&value)).__audit_close(draft)` makes method resolution try one receiver type after
//! the other, so that the most specific implementation of [`OutcomeOf`] is used (autoref
//! specialization). The levels, in this order, as in `audit-core`:
//!
//! | level | receiver | returned value |
//! | --- | --- | --- |
//! | 1 | `&mut Probe` | a type that implements `AuditOutcome` |
//! | 2 | `&&mut Probe` | a response; a `Result` of a response and an error that implements `AuditOutcome` |
//! | 3 | `&mut &mut Probe` | a `Result` of a response and any error |
//! | 4 | `Probe` | a `Result` of any value and an error that implements `AuditOutcome` |
//! | 5 | `&Probe` | any `Result` |
//! | 6 | `Anything`, to which a `Probe` dereferences | any other value |
//!
//! `audit-core` needs fewer levels: outside of the crate that defines `AuditOutcome`, the compiler
//! does not assume that a `Result` never implements it.

use std::ops::Deref;

use actix_web::HttpResponse;
use actix_web::dev::ServiceResponse;
use audit_core::private::{Draft, DurableWait};
use audit_core::{AuditOutcome, Outcome};
use http::StatusCode;

use crate::head::status;

/// A reference to a returned value, on which the outcome is looked up.
#[derive(Debug)]
pub struct Probe<'a, T: ?Sized>(pub &'a T);

impl<T: ?Sized> Clone for Probe<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: ?Sized> Copy for Probe<'_, T> {}

/// A value that has no outcome.
#[derive(Clone, Copy, Debug)]
pub struct Anything;

impl<T: ?Sized> Deref for Probe<'_, T> {
    type Target = Anything;

    fn deref(&self) -> &Anything {
        &Anything
    }
}

/// A type with an HTTP status.
pub trait Response {
    /// Returns the status.
    fn status(&self) -> StatusCode;
}

impl<B> Response for HttpResponse<B> {
    fn status(&self) -> StatusCode {
        status(HttpResponse::status(self))
    }
}

impl<B> Response for ServiceResponse<B> {
    fn status(&self) -> StatusCode {
        status(ServiceResponse::status(self))
    }
}

/// A responder with another status, which is a responder of actix-web too.
impl<R> Response for (R, actix_web::http::StatusCode) {
    fn status(&self) -> StatusCode {
        status(self.1)
    }
}

impl Response for actix_web::http::StatusCode {
    fn status(&self) -> StatusCode {
        status(*self)
    }
}

/// Functions that a handler calls may use the newer `http`.
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

/// Reads the outcome of one kind of returned value; each implementation is a level.
pub trait OutcomeOf {
    /// Returns the outcome. The name cannot collide with a trait that a user has in scope.
    fn __audit_outcome(self) -> Outcome;

    /// Closes the draft of a call that returned the value. Expansions call only this.
    fn __audit_close(self, draft: Draft)
    where
        Self: Sized,
    {
        audit_core::private::close(draft, self.__audit_outcome());
    }

    /// Closes the draft of a durable event, and returns the wait for its write.
    fn __audit_close_durable(self, draft: Draft) -> DurableWait
    where
        Self: Sized,
    {
        audit_core::private::close_durable(draft, self.__audit_outcome())
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

levels! {
    [T: AuditOutcome + ?Sized] &mut Probe<'_, T>, |value| value.audit_outcome();

    [R: Response] &&mut Probe<'_, R>, |value| Outcome::of_status(value.status());

    [R: Response, E: AuditOutcome] &&mut Probe<'_, Result<R, E>>, |value| match value {
        Ok(response) => Outcome::of_status(response.status()),
        Err(error) => error.audit_outcome(),
    };

    [R: Response, E] &mut &mut Probe<'_, Result<R, E>>, |value| match value {
        Ok(response) => Outcome::of_status(response.status()),
        Err(_) => Outcome::Failed,
    };

    [T, E: AuditOutcome] Probe<'_, Result<T, E>>, |value| match value {
        Ok(_) => Outcome::Succeeded,
        Err(error) => error.audit_outcome(),
    };

    [T, E] &Probe<'_, Result<T, E>>, |value| match value {
        Ok(_) => Outcome::Succeeded,
        Err(_) => Outcome::Failed,
    };
}

// The status of the response settles it.
impl OutcomeOf for Anything {
    fn __audit_outcome(self) -> Outcome {
        Outcome::Unknown
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::StatusCode;
    use actix_web::{HttpResponse, web};
    use audit_core::{AuditOutcome, Outcome};

    use super::{OutcomeOf as _, Probe};

    macro_rules! outcome {
        ($value:expr) => {
            (&mut Probe(&$value)).__audit_outcome()
        };
    }

    struct NotAllowed;

    impl AuditOutcome for NotAllowed {
        fn audit_outcome(&self) -> Outcome {
            Outcome::Denied
        }
    }

    #[test]
    fn outcome_of_an_actix_response_is_its_status() {
        let forbidden = || HttpResponse::Forbidden().finish();
        assert_eq!(outcome!(forbidden()), Outcome::Denied);
        assert_eq!(outcome!(Ok::<_, ()>(forbidden())), Outcome::Denied);
        assert_eq!(
            outcome!(Ok::<_, NotAllowed>(HttpResponse::NotFound().finish())),
            Outcome::Failed
        );
        let created = (web::Json(1), StatusCode::CREATED);
        assert_eq!(outcome!(created), Outcome::Succeeded);
        assert_eq!(
            outcome!(Ok::<_, actix_web::Error>(("no", StatusCode::CONFLICT))),
            Outcome::Failed
        );
    }

    #[test]
    fn error_is_a_failure_unless_it_has_an_outcome() {
        assert_eq!(outcome!(Err::<HttpResponse, _>("no")), Outcome::Failed);
        assert_eq!(outcome!(Err::<(), _>("no")), Outcome::Failed);
        assert_eq!(outcome!(Err::<(), _>(NotAllowed)), Outcome::Denied);
        assert_eq!(
            outcome!(Err::<HttpResponse, _>(NotAllowed)),
            Outcome::Denied
        );
    }

    #[test]
    fn result_is_found_in_generics_and_opaque_types() {
        fn generic<T, E>(value: Result<T, E>) -> Outcome {
            outcome!(value)
        }
        fn opaque() -> Result<impl actix_web::Responder, actix_web::Error> {
            Ok("text")
        }
        assert_eq!(generic(Ok::<_, ()>(1)), Outcome::Succeeded);
        assert_eq!(outcome!(opaque()), Outcome::Succeeded);
        assert_eq!(outcome!(opaque().unwrap()), Outcome::Unknown);
    }

    #[test]
    fn other_values_are_read_as_in_audit_core() {
        assert_eq!(outcome!(http::StatusCode::FORBIDDEN), Outcome::Denied);
        assert_eq!(outcome!(Ok::<_, ()>(web::Json(1))), Outcome::Succeeded);
        assert_eq!(outcome!("text"), Outcome::Unknown);
        assert_eq!(outcome!(NotAllowed), Outcome::Denied);
    }
}

//! What the expansions of the macros call: what `audit-core` has, and how actix-web's responses say
//! how it went.

pub use audit_core::private::*;
pub use outcome::{Ladder, Probe};

/// How a returned value says how it went, without a bound on the user's types.
///
/// `(&mut Probe(&value)).__audit_close(draft)` looks for the method at one type after the other,
/// and each implementation of `Ladder` is a rung, as in `audit-core`:
///
/// | | type | what stands there |
/// | --- | --- | --- |
/// | 1 | `&mut Probe` | a type that implements `AuditOutcome` |
/// | 2 | `&&mut Probe` | a response; a `Result` of a response and an error that implements `AuditOutcome` |
/// | 3 | `&mut &mut Probe` | a `Result` of a response and any error |
/// | 4 | `Probe` | a `Result` of anything and an error that implements `AuditOutcome` |
/// | 5 | `&Probe` | any `Result` |
/// | 6 | `Anything`, to which a `Probe` dereferences | anything else |
///
/// It has more rungs than the one of `audit-core`, since out here the compiler does not take for
/// granted that a `Result` never implements `AuditOutcome`.
pub mod outcome {
    use std::ops::Deref;

    use actix_web::HttpResponse;
    use actix_web::dev::ServiceResponse;
    use audit_core::private::{Commits, Draft};
    use audit_core::{AuditOutcome, Outcome};
    use http::StatusCode;

    use crate::head::status;

    /// A returned value, by reference.
    #[derive(Debug)]
    pub struct Probe<'a, T: ?Sized>(pub &'a T);

    impl<T: ?Sized> Clone for Probe<'_, T> {
        fn clone(&self) -> Self {
            *self
        }
    }

    impl<T: ?Sized> Copy for Probe<'_, T> {}

    /// What is left of a value that says nothing.
    #[derive(Clone, Copy, Debug)]
    pub struct Anything;

    impl<T: ?Sized> Deref for Probe<'_, T> {
        type Target = Anything;

        fn deref(&self) -> &Anything {
            &Anything
        }
    }

    /// Types that have an HTTP status.
    pub trait Response {
        /// The status.
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

    /// A responder with another status, as actix-web takes it.
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

    /// Functions below a handler may speak the newer `http`.
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

    /// A rung: how a value of one shape says how it went.
    pub trait Ladder {
        /// How it went. The name is one that no trait of a user has in scope.
        fn __audit_outcome(self) -> Outcome;

        /// Closes the draft of a call that returned the value; the one call of an expansion.
        fn __audit_close(self, draft: Draft)
        where
            Self: Sized,
        {
            audit_core::private::close(draft, self.__audit_outcome());
        }

        /// The same of a durable event, for which somebody waits.
        fn __audit_commit(self, draft: Draft) -> Commits
        where
            Self: Sized,
        {
            audit_core::private::commit(draft, self.__audit_outcome())
        }
    }

    macro_rules! rungs {
        ($([$($generics:tt)*] $probe:ty, |$value:ident| $outcome:expr;)*) => {$(
            impl<$($generics)*> Ladder for $probe {
                fn __audit_outcome(self) -> Outcome {
                    let $value = self.0;
                    $outcome
                }
            }
        )*};
    }

    rungs! {
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

    // The middleware will know.
    impl Ladder for Anything {
        fn __audit_outcome(self) -> Outcome {
            Outcome::Unknown
        }
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::StatusCode;
    use actix_web::{HttpResponse, web};
    use audit_core::{AuditOutcome, Outcome};

    use super::outcome::{Ladder as _, Probe};

    macro_rules! outcome {
        ($value:expr) => {
            (&mut Probe(&$value)).__audit_outcome()
        };
    }

    struct Refused;

    impl AuditOutcome for Refused {
        fn audit_outcome(&self) -> Outcome {
            Outcome::Denied
        }
    }

    #[test]
    fn a_response_of_actix_is_read() {
        let forbidden = || HttpResponse::Forbidden().finish();
        assert_eq!(outcome!(forbidden()), Outcome::Denied);
        assert_eq!(outcome!(Ok::<_, ()>(forbidden())), Outcome::Denied);
        assert_eq!(
            outcome!(Ok::<_, Refused>(HttpResponse::NotFound().finish())),
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
    fn an_error_is_a_failure_unless_it_knows() {
        assert_eq!(outcome!(Err::<HttpResponse, _>("no")), Outcome::Failed);
        assert_eq!(outcome!(Err::<(), _>("no")), Outcome::Failed);
        assert_eq!(outcome!(Err::<(), _>(Refused)), Outcome::Denied);
        assert_eq!(outcome!(Err::<HttpResponse, _>(Refused)), Outcome::Denied);
    }

    #[test]
    fn generics_and_opaque_types_do_not_hide_a_result() {
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
    fn what_is_no_response_of_actix_says_what_it_says_elsewhere() {
        assert_eq!(outcome!(http::StatusCode::FORBIDDEN), Outcome::Denied);
        assert_eq!(outcome!(Ok::<_, ()>(web::Json(1))), Outcome::Succeeded);
        assert_eq!(outcome!("text"), Outcome::Unknown);
        assert_eq!(outcome!(Refused), Outcome::Denied);
    }
}

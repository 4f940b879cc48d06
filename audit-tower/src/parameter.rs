//! Reads a parameter of the route that axum has matched.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{FromRequestParts, RawPathParams};
use http::request::Parts;

/// The result of reading a parameter of the matched route.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Parameter {
    Found(String),
    /// The route has no such parameter, or no route was matched yet.
    Missing,
    /// A parameter of the route is not UTF-8. No extractor can read it, so the request is rejected.
    Unreadable,
}

/// Reads a parameter of the matched route, percent-decoded.
pub(crate) fn path_parameter(parts: &mut Parts, name: &str) -> Parameter {
    // The extractor only reads the extensions and never waits, so one poll is enough.
    let extracted = pin!(RawPathParams::from_request_parts(parts, &()))
        .poll(&mut Context::from_waker(Waker::noop()));
    match extracted {
        Poll::Ready(Ok(parameters)) => parameters
            .iter()
            // Nested routers may both have a parameter of this name. The innermost one is used.
            .filter(|(key, _)| *key == name)
            .last()
            .map_or(Parameter::Missing, |(_, value)| {
                Parameter::Found(value.to_owned())
            }),
        Poll::Ready(Err(RawPathParamsRejection::InvalidUtf8InPathParam(_))) => {
            Parameter::Unreadable
        }
        Poll::Ready(Err(_)) | Poll::Pending => Parameter::Missing,
    }
}

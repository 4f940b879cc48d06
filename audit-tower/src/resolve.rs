//! What the layer takes from a request: its parts, its parameters, its scope.

use audit_core::Scope;
use http::Extensions;

/// The scope of a request: the one in its extensions, wherever the request has got to since, or
/// that of the task.
pub(crate) fn scope(extensions: &Extensions) -> Option<Scope> {
    extensions.get().cloned().or_else(Scope::current)
}

/// A parameter of the matched route.
#[cfg(feature = "axum")]
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Parameter {
    Found(String),
    /// The route has no such parameter, or no route was matched yet.
    Missing,
    /// One of the route's parameters is not UTF-8; no extractor can read them, and the request is
    /// refused.
    Unreadable,
}

/// Reads a parameter of the route that axum has matched.
#[cfg(feature = "axum")]
pub(crate) fn path_parameter(parts: &mut http::request::Parts, name: &str) -> Parameter {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use axum::extract::rejection::RawPathParamsRejection;
    use axum::extract::{FromRequestParts, RawPathParams};

    // The extractor only reads the extensions and is ready at once, so that one poll is enough.
    let extracted = pin!(RawPathParams::from_request_parts(parts, &()))
        .poll(&mut Context::from_waker(Waker::noop()));
    match extracted {
        Poll::Ready(Ok(parameters)) => parameters
            .iter()
            // Nested routers may both have one of the name. The inner is what was asked for last.
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

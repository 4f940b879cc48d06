//! Reads a parameter of the route that a request matches.

use std::borrow::Cow;

use actix_web::dev::{Path, ResourceDef, ServiceRequest, Url};
use percent_encoding::percent_decode_str;

/// The result of reading a parameter of the matched route.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Parameter {
    Found(String),
    /// The route has no such parameter, or the request matches no route.
    Missing,
    /// The parameter is not UTF-8. No extractor can read it, so the request is rejected.
    Unreadable,
}

/// Reads a parameter, percent-decoded.
///
/// In a middleware of a route, the router has extracted it. In one of an application or a scope,
/// the request has not been routed yet, so it is extracted by the pattern that the path matches.
pub(crate) fn parameter(request: &ServiceRequest, name: &str) -> Parameter {
    if let Some(value) = request.match_info().get(name) {
        return decode(value);
    }
    let Some(pattern) = request.match_pattern() else {
        return Parameter::Missing;
    };
    // The text of most patterns already shows that they lack the parameter, which saves compiling
    // them.
    if !pattern.contains(name) {
        return Parameter::Missing;
    }
    let mut path = Path::new(Url::new(request.uri().clone()));
    if !ResourceDef::new(pattern).capture_match_info(&mut path) {
        return Parameter::Missing;
    }
    path.get(name).map_or(Parameter::Missing, decode)
}

/// Decodes the percent-encoding of a value.
fn decode(value: &str) -> Parameter {
    match percent_decode_str(value).decode_utf8() {
        Ok(value) => Parameter::Found(Cow::into_owned(value)),
        Err(_) => Parameter::Unreadable,
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn parameter_is_decoded_once() {
        let found = |value: &str| {
            let request = TestRequest::default().param("id", value.to_owned());
            parameter(&request.to_srv_request(), "id")
        };
        assert_eq!(found("a%2Fb"), Parameter::Found("a/b".into()));
        assert_eq!(found("a%252Fb"), Parameter::Found("a%2Fb".into()));
        assert_eq!(found("%ff"), Parameter::Unreadable);
    }

    #[test]
    fn request_without_a_route_has_no_parameter() {
        let request = TestRequest::with_uri("/documents/7").to_srv_request();
        assert_eq!(parameter(&request, "id"), Parameter::Missing);
    }
}

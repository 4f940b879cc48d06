//! The status of a gRPC call, mapped to HTTP.

use http::StatusCode;

/// Returns `true` for the content types of gRPC: `application/grpc`, alone or with a format such as
/// `application/grpc+proto`, and the form for browsers, `application/grpc-web`.
#[must_use]
pub fn is_grpc(content_type: &[u8]) -> bool {
    const GRPC: &[u8] = b"application/grpc";
    content_type
        .split_at_checked(GRPC.len())
        .is_some_and(|(start, rest)| {
            start.eq_ignore_ascii_case(GRPC) && matches!(rest, [] | [b'+' | b'-' | b';' | b' ', ..])
        })
}

/// Returns the HTTP status of a `grpc-status`, by the mapping in [the comments of
/// `google.rpc.Code`](https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto):
/// 7 (`PERMISSION_DENIED`) is 403, 16 (`UNAUTHENTICATED`) is 401.
///
/// An unknown code counts as 2 (`UNKNOWN`), as [gRPC over
/// HTTP/2](https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md) requires of clients.
#[must_use]
pub fn status_of(grpc_status: &[u8]) -> StatusCode {
    let code = match std::str::from_utf8(grpc_status) {
        Ok(text) => text.parse().unwrap_or(2),
        Err(_) => 2,
    };
    let status = match code {
        0 => 200,
        // HTTP has no status for a cancelled call; the mapping uses nginx's.
        1 => 499,
        3 | 9 | 11 => 400,
        4 => 504,
        5 => 404,
        6 | 10 => 409,
        7 => 403,
        8 => 429,
        12 => 501,
        14 => 503,
        16 => 401,
        _ => 500,
    };
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Outcome;

    #[test]
    fn every_code_has_its_published_status() {
        let statuses = [
            200, 499, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 501, 500, 503, 500, 401,
        ];
        for (code, status) in statuses.into_iter().enumerate() {
            assert_eq!(status_of(code.to_string().as_bytes()), status, "{code}");
        }
    }

    #[test]
    fn two_codes_are_denials_and_only_one_is_a_success() {
        for code in 0..=16 {
            let outcome = Outcome::of_status(status_of(code.to_string().as_bytes()));
            let expected = match code {
                0 => Outcome::Succeeded,
                7 | 16 => Outcome::Denied,
                _ => Outcome::Failed,
            };
            assert_eq!(outcome, expected, "{code}");
        }
    }

    #[test]
    fn an_unknown_code_is_not_a_success() {
        for code in [
            &b""[..],
            b"17",
            b"-1",
            b"ok",
            b"0x0",
            b"\xff",
            b"99999999999",
        ] {
            assert_eq!(status_of(code), 500, "{code:?}");
        }
    }

    #[test]
    fn grpc_is_recognised_by_its_content_type() {
        for content_type in [
            "application/grpc",
            "application/grpc+proto",
            "Application/gRPC; charset=utf-8",
            "application/grpc-web-text",
        ] {
            assert!(is_grpc(content_type.as_bytes()), "{content_type}");
        }
        for content_type in ["", "application/json", "application/grpcx", "text/grpc"] {
            assert!(!is_grpc(content_type.as_bytes()), "{content_type}");
        }
    }
}

//! Classification of transport errors.

/// Any error of a transport.
pub(super) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The way in which a request ended without a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TransportFailure {
    /// No connection was made, so nothing was sent.
    NotSent,
    /// The TLS handshake failed, so nothing was sent.
    TlsFailed,
    /// The connection broke after the request was sent, wholly or in part.
    ConnectionLost,
    /// Anything else, such as a timeout.
    Unknown,
}

/// Classifies the error of a transport.
pub(super) fn transport_failure(error: &BoxError) -> TransportFailure {
    let Some(library) = error.downcast_ref::<reqwest::Error>() else {
        return TransportFailure::Unknown;
    };
    if library.is_connect() {
        return if is_tls(library) {
            TransportFailure::TlsFailed
        } else {
            TransportFailure::NotSent
        };
    }
    if library.is_timeout() || library.is_builder() || library.is_redirect() {
        return TransportFailure::Unknown;
    }
    TransportFailure::ConnectionLost
}

/// Returns whether the TLS handshake failed. The TLS library wraps its errors as invalid data, and
/// no other step of a connection does.
fn is_tls(error: &reqwest::Error) -> bool {
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        let mut io = cause.downcast_ref::<std::io::Error>();
        // An error inside an I/O error is not its source.
        while let Some(error) = io {
            if error.kind() == std::io::ErrorKind::InvalidData {
                return true;
            }
            io = error.get_ref().and_then(|inner| inner.downcast_ref());
        }
        source = cause.source();
    }
    false
}

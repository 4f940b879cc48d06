//! The description of one fault.

use std::time::Duration;

/// A failure that is injected into the next matching requests.
///
/// A fault is created with its effect ([`status`](Self::status), [`latency`](Self::latency), …),
/// and may be restricted to a route and repeated. By default it applies once, to the next request
/// of any kind. It never affects the server's own routes under `/_local`.
///
/// ```
/// use std::time::Duration;
/// use audit_server::{Fault, LocalServer};
///
/// let server = LocalServer::start()?;
/// server.inject(Fault::status(503).times(3).on("POST", "/audit_logs/events"));
/// server.inject(Fault::status(429).retry_after("7").delay(Duration::from_millis(20)));
/// assert_eq!(server.faults().len(), 2);
/// server.clear_faults();
/// # Ok::<(), audit_server::StartError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Fault {
    pub(crate) method: Option<String>,
    pub(crate) path: Option<String>,
    pub(crate) times: u32,
    pub(crate) delay: Duration,
    pub(crate) effect: Effect,
}

/// The effect of a fault, after its delay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// The request is handled normally.
    Nothing,
    Status {
        status: u16,
        retry_after: Option<String>,
    },
    Reset,
    CutAfter(u64),
    ExportFails,
}

/// Request extension that makes the export it creates end in `error`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ExportFails;

impl Fault {
    pub(crate) fn new(effect: Effect) -> Self {
        Self {
            method: None,
            path: None,
            times: 1,
            delay: Duration::ZERO,
            effect,
        }
    }

    /// Responds with this status instead of handling the request.
    ///
    /// The body is JSON with a `message`; 429 has the documented body. A status outside 200 to 599
    /// becomes a 500.
    pub fn status(status: u16) -> Self {
        Self::new(Effect::Status {
            status,
            retry_after: None,
        })
    }

    /// Delays the handling of the request.
    pub fn latency(delay: Duration) -> Self {
        Self::new(Effect::Nothing).delay(delay)
    }

    /// Resets the TCP connection instead of handling the request.
    pub fn reset() -> Self {
        Self::new(Effect::Reset)
    }

    /// Handles the request, then closes the connection after the first `bytes` bytes of the
    /// response, head included.
    ///
    /// The event is stored. With 0 the client receives no response at all.
    pub fn cut_after(bytes: u64) -> Self {
        Self::new(Effect::CutAfter(bytes))
    }

    /// Makes the next created export end in the state `error`. Only `POST /audit_logs/exports` uses
    /// it up.
    pub fn export_error() -> Self {
        Self::new(Effect::ExportFails).on("POST", "/audit_logs/exports")
    }

    /// Sets the number of requests; 1 by default. With 0 the fault has no effect.
    pub fn times(mut self, requests: u32) -> Self {
        self.times = requests;
        self
    }

    /// Restricts the fault to this method and path.
    ///
    /// The path is compared as sent, without the query; a trailing `*` matches any suffix.
    pub fn on(mut self, method: impl Into<String>, path: impl Into<String>) -> Self {
        self.method = Some(method.into());
        self.path = Some(path.into());
        self
    }

    /// Sets a delay before the effect.
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Sets the response's `Retry-After`: seconds, or an HTTP date.
    ///
    /// Only [`status`](Self::status) has a response of its own. With other effects, and for text
    /// that is not a valid header value, it is omitted.
    pub fn retry_after(mut self, value: impl Into<String>) -> Self {
        if let Effect::Status { retry_after, .. } = &mut self.effect {
            *retry_after = Some(value.into());
        }
        self
    }

    pub(super) fn matches(&self, method: &str, path: &str) -> bool {
        let path_matches = match self.path.as_deref() {
            None => true,
            Some(pattern) => match pattern.strip_suffix('*') {
                Some(start) => path.starts_with(start),
                None => path == pattern,
            },
        };
        path_matches
            && self
                .method
                .as_deref()
                .is_none_or(|wanted| wanted.eq_ignore_ascii_case(method))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fault_matches_its_method_and_path() {
        let fault = Fault::reset().on("post", "/audit_logs/events");
        assert!(fault.matches("POST", "/audit_logs/events"));
        assert!(!fault.matches("GET", "/audit_logs/events"));
        assert!(!fault.matches("POST", "/audit_logs/events/"));
        let fault = Fault::reset().on("GET", "/audit_logs/*");
        assert!(fault.matches("GET", "/audit_logs/exports/1"));
        assert!(!fault.matches("GET", "/organizations"));
        assert!(Fault::reset().matches("DELETE", "/"));
    }

    #[test]
    fn only_a_status_fault_has_a_retry_after() {
        assert_eq!(Fault::reset().retry_after("1"), Fault::reset());
        assert_ne!(Fault::status(429).retry_after("1"), Fault::status(429));
    }
}

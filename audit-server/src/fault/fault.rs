//! One fault, as its user describes it.

use std::time::Duration;

/// What the next requests get instead of, or before, their answer.
///
/// A fault begins with what happens ([`status`](Self::status), [`latency`](Self::latency), …), and
/// may be narrowed down and repeated. Without more it applies once, to the next request of whatever
/// kind. The routes under `/_local` are never affected.
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

/// What happens after the delay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// The request is handled as ever.
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

    /// The request is not handled, but answered with this status, and a JSON body with a `message`;
    /// 429 has the documented body. What is no final status (200 to 599) is answered as 500.
    pub fn status(status: u16) -> Self {
        Self::new(Effect::Status {
            status,
            retry_after: None,
        })
    }

    /// The request is handled after this time.
    pub fn latency(delay: Duration) -> Self {
        Self::new(Effect::Nothing).delay(delay)
    }

    /// The request is not handled; its connection ends with a TCP reset.
    pub fn reset() -> Self {
        Self::new(Effect::Reset)
    }

    /// The request is handled, so that an event is stored, but of the answer only the first `bytes`
    /// bytes are sent, head included; then the connection is closed. With 0 the client hears
    /// nothing of what was done.
    pub fn cut_after(bytes: u64) -> Self {
        Self::new(Effect::CutAfter(bytes))
    }

    /// An export that is created ends in the state `error`. Only `POST /audit_logs/exports` uses it
    /// up.
    pub fn export_error() -> Self {
        Self::new(Effect::ExportFails).on("POST", "/audit_logs/exports")
    }

    /// For so many requests; once by default. With 0 the fault does nothing.
    pub fn times(mut self, requests: u32) -> Self {
        self.times = requests;
        self
    }

    /// Only for requests of this method and path, the path as it is sent, without the query; a `*`
    /// at its end stands for anything.
    pub fn on(mut self, method: impl Into<String>, path: impl Into<String>) -> Self {
        self.method = Some(method.into());
        self.path = Some(path.into());
        self
    }

    /// Waits this long first.
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// The answer's `Retry-After`: seconds, or an HTTP date. Only [`status`](Self::status) has an
    /// answer; with others, and for a text that cannot stand in a header, it is left out.
    pub fn retry_after(mut self, value: impl Into<String>) -> Self {
        if let Effect::Status { retry_after, .. } = &mut self.effect {
            *retry_after = Some(value.into());
        }
        self
    }

    pub(super) fn fits(&self, method: &str, path: &str) -> bool {
        let path_fits = match self.path.as_deref() {
            None => true,
            Some(pattern) => match pattern.strip_suffix('*') {
                Some(start) => path.starts_with(start),
                None => path == pattern,
            },
        };
        path_fits
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
    fn a_fault_fits_its_method_and_path() {
        let fault = Fault::reset().on("post", "/audit_logs/events");
        assert!(fault.fits("POST", "/audit_logs/events"));
        assert!(!fault.fits("GET", "/audit_logs/events"));
        assert!(!fault.fits("POST", "/audit_logs/events/"));
        let fault = Fault::reset().on("GET", "/audit_logs/*");
        assert!(fault.fits("GET", "/audit_logs/exports/1"));
        assert!(!fault.fits("GET", "/organizations"));
        assert!(Fault::reset().fits("DELETE", "/"));
    }

    #[test]
    fn only_an_answer_has_a_retry_after() {
        assert_eq!(Fault::reset().retry_after("1"), Fault::reset());
        assert_ne!(Fault::status(429).retry_after("1"), Fault::status(429));
    }
}

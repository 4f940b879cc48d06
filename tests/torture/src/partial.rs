//! A sink that fails some events always, and delivers the others.

use std::time::Duration;

use audit_core::workos::WorkOs;
use audit_core::{Delivery, Event, Fault, Sink};

/// Fails every event whose number is a multiple of another, as a service that answers 403 or 500.
#[derive(Debug)]
pub(crate) struct PartialSink {
    pub(crate) inner: WorkOs,
    pub(crate) every: u32,
}

impl Sink for PartialSink {
    async fn deliver(&self, event: &Event) -> Delivery {
        let serial = event.targets().next().map(|target| target.id());
        match failure(serial.unwrap_or_default(), self.every) {
            Some(403) => Err(Fault::fatal("403 Forbidden")),
            Some(status) => Err(Fault::retryable(format!("{status}"))),
            None => self.inner.deliver(event).await,
        }
    }
}

/// Returns the status with which an event always fails; `None` for one that passes.
pub(crate) fn failure(serial: &str, every: u32) -> Option<u16> {
    let number: u32 = serial.rsplit('.').next()?.parse().ok()?;
    if every == 0 || !number.is_multiple_of(every) {
        return None;
    }
    Some(if (number / every).is_multiple_of(2) {
        403
    } else {
        500
    })
}

/// The time in which a process with such a sink delivers what it can.
pub(crate) const PARTIAL_TIME: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_nth_event_fails_and_half_of_them_in_each_way() {
        let of = |number: u32| failure(&format!("p1.0.{number}"), 5);
        assert_eq!(
            (of(4), of(5), of(10), of(11)),
            (None, Some(500), Some(403), None)
        );
        assert_eq!(failure("p1.0.5", 0), None);
    }
}

//! The spool as seen by recorder and dispatcher, with a stand-in for builds without the feature.

#[cfg(feature = "spool")]
pub(crate) use crate::spool::{Appended, Guarantee, Page, Spool, Spooled};

#[cfg(not(feature = "spool"))]
pub(crate) use absent::{Appended, Guarantee, Page, Spool, Spooled};

#[cfg(not(feature = "spool"))]
mod absent {
    #![allow(dead_code, reason = "the stand-in is never constructed")]

    use std::convert::Infallible;
    use std::future::Future;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use crate::event::{Event, EventId};
    use crate::telemetry::HealthState;

    /// Stand-in without the feature `spool`; never constructed.
    #[derive(Clone, Debug)]
    pub(crate) struct Spool(());

    /// A result that is always an error.
    type Refused<T> = Result<T, ()>;

    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) enum Guarantee {
        BestEffort,
        Durable,
    }

    #[derive(Debug)]
    pub(crate) struct Spooled {
        pub(crate) row: i64,
        pub(crate) event: Event,
        pub(crate) first_attempt: Option<u64>,
    }

    #[derive(Debug)]
    pub(crate) struct Page {
        pub(crate) events: Vec<Spooled>,
        pub(crate) after: i64,
        pub(crate) is_last: bool,
    }

    #[derive(Debug)]
    pub(crate) struct Appended(());

    impl Future for Appended {
        type Output = Refused<i64>;

        fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Refused<i64>> {
            Poll::Ready(Err(()))
        }
    }

    impl Spool {
        pub(crate) fn append_patiently(&self, _: &Event) -> Result<Appended, Infallible> {
            Ok(Appended(()))
        }

        pub(crate) fn enqueue(&self, _: &Event) -> Refused<()> {
            Err(())
        }

        pub(crate) fn acknowledge(&self, _: i64, _: EventId) {}

        pub(crate) fn attempted(&self, _: i64, _: EventId, _: u64) {}

        pub(crate) fn bury(&self, _: i64, _: EventId, _: String) -> Refused<()> {
            Err(())
        }

        pub(crate) fn bury_event(&self, _: &Event, _: String) -> Refused<()> {
            Err(())
        }

        pub(crate) async fn load(&self, _: Guarantee, _: i64, _: usize) -> Refused<Page> {
            Err(())
        }

        pub(crate) async fn mend(&self) -> Refused<i64> {
            Err(())
        }

        pub(crate) fn boundary(&self) -> i64 {
            0
        }

        pub(crate) async fn close_and_take(&self) -> Vec<Event> {
            Vec::new()
        }

        pub(crate) async fn settle(&self) -> Refused<()> {
            Err(())
        }

        pub(crate) fn is_waiting(&self) -> bool {
            false
        }

        pub(crate) fn recovered(&self) -> u64 {
            0
        }

        pub(crate) fn disk(&self) -> (HealthState, Option<String>) {
            (HealthState::Healthy, None)
        }
    }
}

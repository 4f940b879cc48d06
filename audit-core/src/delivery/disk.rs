//! The spool as seen by recorder and dispatcher, with a stand-in for builds without the feature.

#[cfg(feature = "spool")]
pub(crate) use crate::spool::{Guarantee, Page, PendingAppend, Spool, SpooledEvent};

#[cfg(not(feature = "spool"))]
pub(crate) use absent::{Guarantee, Page, PendingAppend, Spool, SpooledEvent};

#[cfg(not(feature = "spool"))]
mod absent {
    #![allow(dead_code, reason = "the stand-in is never constructed")]

    use std::convert::Infallible;
    use std::future::Future;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use crate::event::{Event, EventId};
    use crate::telemetry::{HealthState, SpoolHealth};

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
    pub(crate) struct SpooledEvent {
        pub(crate) row: i64,
        pub(crate) event: Event,
        pub(crate) first_attempt: Option<u64>,
    }

    #[derive(Debug)]
    pub(crate) struct Page {
        pub(crate) events: Vec<SpooledEvent>,
        pub(crate) after: i64,
        pub(crate) is_last: bool,
    }

    #[derive(Debug)]
    pub(crate) struct PendingAppend(());

    impl Future for PendingAppend {
        type Output = Refused<i64>;

        fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Refused<i64>> {
            Poll::Ready(Err(()))
        }
    }

    impl Spool {
        pub(crate) fn append_until_closed(&self, _: &Event) -> Result<PendingAppend, Infallible> {
            Ok(PendingAppend(()))
        }

        pub(crate) fn enqueue(&self, _: &Event) -> Refused<()> {
            Err(())
        }

        pub(crate) fn acknowledge(&self, _: i64, _: EventId) {}

        pub(crate) fn enqueue_attempted(&self, _: &Event, _: Option<u64>) -> Refused<()> {
            Err(())
        }

        pub(crate) fn forget_attempt(&self, _: i64, _: EventId, _: u64) {}

        pub(crate) fn record_attempt(&self, _: i64, _: EventId, _: u64) {}

        pub(crate) fn move_to_dead_letters(&self, _: i64, _: EventId, _: String) -> Refused<()> {
            Err(())
        }

        pub(crate) fn add_dead_letter(&self, _: &Event, _: String) -> Refused<()> {
            Err(())
        }

        pub(crate) async fn load(&self, _: Guarantee, _: i64, _: usize) -> Refused<Page> {
            Err(())
        }

        pub(crate) async fn load_rows(&self, _: Vec<i64>) -> Refused<Vec<SpooledEvent>> {
            Err(())
        }

        pub(crate) async fn sample(&self, _: f64, _: usize) -> Refused<Page> {
            Err(())
        }

        pub(crate) async fn oldest_millis(&self) -> Refused<Option<u64>> {
            Err(())
        }

        pub(crate) fn dead_dropped(&self) -> u64 {
            0
        }

        pub(crate) async fn check_for_corruption(&self) -> Refused<i64> {
            Err(())
        }

        pub(crate) fn last_row_at_open(&self) -> i64 {
            0
        }

        pub(crate) async fn close_and_drain(&self) -> Vec<Event> {
            Vec::new()
        }

        pub(crate) async fn wait_for_appends(&self) -> Refused<()> {
            Err(())
        }

        pub(crate) fn unwritten(&self) -> u64 {
            0
        }

        pub(crate) fn recovered(&self) -> u64 {
            0
        }

        pub(crate) fn write_health(&self) -> SpoolHealth {
            SpoolHealth {
                state: HealthState::Healthy,
                reason: None,
            }
        }
    }
}

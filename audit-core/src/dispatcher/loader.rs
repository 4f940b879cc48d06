//! Events that come back from the spool: what earlier processes left, and what found no room in the queue.

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::time::Instant;

use super::fence::Place;
use crate::disk::{Guarantee, Spool, Spooled};

/// How many events of the spool are in memory at once. They have no place in the queue.
const MOST_OPEN: usize = 256;
/// How many are read at once.
const PAGE: usize = 64;
/// How long until a stream that was found empty is looked at again.
const REST: Duration = Duration::from_millis(20);
/// How long after the spool could not be read.
const REST_AFTER_ERROR: Duration = Duration::from_secs(1);

/// The rows of one guarantee, in their order. What earlier processes left, and what this one wrote, are streams of their own
/// that take turns, so that a long backlog delays no new event.
#[derive(Clone, Copy, Debug)]
struct Stream {
    guarantee: Guarantee,
    /// The last row that was loaded.
    after: i64,
    /// Rows above are another stream's.
    last: i64,
    is_new: bool,
    loaded: u64,
    rest_until: Option<Instant>,
}

type Page = (usize, Option<Vec<Spooled>>);

pub(super) struct Loader {
    pub(super) spool: Spool,
    streams: [Stream; 4],
    turn: usize,
    loading: Option<BoxFuture<'static, Page>>,
    rest_until: Option<Instant>,
    pub(super) open: usize,
}

impl Loader {
    pub(super) fn new(spool: Spool) -> Self {
        let boundary = spool.boundary();
        let stream = |guarantee, is_new| Stream {
            guarantee,
            after: if is_new { boundary } else { i64::MIN },
            last: if is_new { i64::MAX } else { boundary },
            is_new,
            loaded: 0,
            rest_until: None,
        };
        Self {
            spool,
            streams: [
                stream(Guarantee::Durable, true),
                stream(Guarantee::BestEffort, true),
                stream(Guarantee::Durable, false),
                stream(Guarantee::BestEffort, false),
            ],
            turn: 0,
            loading: None,
            rest_until: None,
            open: 0,
        }
    }

    /// After a panic: every row that was in memory still is, and is not loaded again.
    pub(super) fn recover(&mut self) {
        self.loading = None;
    }

    /// Begins to read, if there is room and something to read; `unread` events of the spool are not in memory.
    pub(super) fn begin(&mut self, now: Instant, unread: u64) {
        let rests = |until: Option<Instant>| until.is_some_and(|until| until > now);
        if self.loading.is_some()
            || unread == 0
            || self.open + PAGE > MOST_OPEN
            || rests(self.rest_until)
        {
            return;
        }
        let spool = self.spool.clone();
        for _ in 0..self.streams.len() {
            let index = self.turn % self.streams.len();
            self.turn = self.turn.wrapping_add(1);
            let stream = self.streams[index];
            if stream.after < stream.last && !rests(stream.rest_until) {
                let page = async move {
                    let page = spool.load(stream.guarantee, stream.after, PAGE).await;
                    (index, page.ok())
                };
                self.loading = Some(page.boxed());
                return;
            }
        }
    }

    /// Waits for what is being read, which may be for ever: the next events, and where each stands for the fences.
    pub(super) async fn next(&mut self) -> Vec<(Spooled, Place)> {
        let Some(loading) = &mut self.loading else {
            return std::future::pending().await;
        };
        let (index, page) = loading.await;
        self.loading = None;
        if page.is_none() {
            self.rest_until = Some(Instant::now() + REST_AFTER_ERROR);
        }
        self.take(index, page.unwrap_or_default())
    }

    fn take(&mut self, index: usize, page: Vec<Spooled>) -> Vec<(Spooled, Place)> {
        let Some(stream) = self.streams.get_mut(index) else {
            return Vec::new();
        };
        let mut events = Vec::with_capacity(page.len());
        for event in page {
            if event.row > stream.last {
                // The rest is another stream's; this one is at its end.
                stream.after = stream.last;
                break;
            }
            stream.after = event.row;
            let place = if stream.is_new {
                Place::Spool(stream.guarantee, stream.loaded)
            } else {
                Place::Recovered
            };
            stream.loaded += 1;
            events.push((event, place));
        }
        let rest = events.is_empty().then(|| Instant::now() + REST);
        stream.rest_until = rest;
        self.open += events.len();
        events
    }
}

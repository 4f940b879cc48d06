//! Events that come back from the spool: what earlier processes left, and what found no room in the
//! queue.

use std::collections::HashSet;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::time::Instant;

use super::disk::{Guarantee, Page, Spool, Spooled};
use super::fence::Place;
use crate::event::EventId;

/// How many events that this process has written as durable are in memory at once. They have no
/// place in the queue.
const MOST_NEW_DURABLE: usize = 256;
/// How many of each other stream. Its own room, so that a stream from which nothing is delivered
/// keeps none from being read.
const MOST_OTHERS: usize = 128;
/// How many are read at once.
const PAGE: usize = 64;
/// After so many pages of what this process has written as durable, the others have a turn.
const MOST_AHEAD: u8 = 8;
/// How long until a stream that was found empty is looked at again.
const REST: Duration = Duration::from_millis(20);
/// How long until events that are missing are looked for again, when none was found.
const LOOK_PAUSE: Duration = Duration::from_secs(60);
/// How long after the spool could not be read.
const REST_AFTER_ERROR: Duration = Duration::from_secs(1);

/// The rows of one guarantee, in their order. What earlier processes left, and what this one wrote,
/// are streams of their own that take turns, so that a long backlog delays no new event.
#[derive(Clone, Copy, Debug)]
struct Stream {
    guarantee: Guarantee,
    /// The last row that was looked at.
    after: i64,
    /// Rows above are another stream's.
    last: i64,
    is_new: bool,
    loaded: u64,
    rest_until: Option<Instant>,
}

/// Where each stream stands in the list of them.
const NEW_DURABLE: usize = 0;
const NEW: usize = 1;
const OLD_DURABLE: usize = 2;
const OLD: usize = 3;

/// What the spool answered.
enum Read {
    /// The index of the stream, and its next page unless it could not be read.
    Page(usize, Option<Page>),
    /// The file was looked at, and is whole or made anew, with this as the last row; or it could
    /// not be.
    Mended(Option<i64>),
}

/// What came of it.
pub(super) enum Loaded {
    /// The next events, and where each stands for the fences.
    Events(Vec<(Spooled, Place)>),
    /// Each stream is at its end, and nothing waits for the disk: there is no more of what had been
    /// given to the spool, which were so many events.
    NoneLeft(u64),
}

pub(super) struct Loader {
    pub(super) spool: Spool,
    streams: [Stream; 4],
    /// Whether the next page is what earlier processes left, if both have something.
    is_turn_of_old: bool,
    /// How many pages of what this process has written as durable came since the last event of
    /// another stream.
    ahead: u8,
    loading: Option<BoxFuture<'static, Read>>,
    rest_until: Option<Instant>,
    /// Which streams were at their end since the last event came, and how many events had been
    /// given to the spool when the first was asked.
    dry: ([bool; 4], u64),
    /// How many events of each stream are in memory.
    pub(super) open: [usize; 4],
    /// When events that are missing were looked for, and none was found since.
    looked_at: Option<Instant>,
    /// The last row that had been read then. Above it nothing was missing.
    looked_until: i64,
    /// What was in memory then, and the last row up to which it may be read once more. What comes
    /// later is another life of an event, as a dead letter's that is sent again.
    known: (HashSet<EventId>, i64),
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
            is_turn_of_old: false,
            ahead: 0,
            loading: None,
            rest_until: None,
            dry: ([false; 4], 0),
            open: [0; 4],
            looked_at: None,
            looked_until: i64::MIN,
            known: (HashSet::new(), i64::MIN),
        }
    }

    /// Events are missing: has the file looked at for damage that hides them, and reads it from the
    /// start once more, but for those `in_memory`. Whether it does; once a minute unless one was
    /// found.
    pub(super) fn look_again(&mut self, now: Instant, in_memory: HashSet<EventId>) -> bool {
        if self.looked_at.is_some_and(|at| now < at + LOOK_PAUSE) {
            return false;
        }
        self.looked_at = Some(now);
        let read = self.streams.iter().map(|stream| stream.after);
        self.looked_until = read.max().unwrap_or(i64::MIN);
        self.known = (in_memory, i64::MAX);
        let spool = self.spool.clone();
        let mended = async move { Read::Mended(spool.mend().await.ok()) };
        self.loading = Some(mended.boxed());
        true
    }

    fn rewind(&mut self) {
        let boundary = self.spool.boundary();
        for stream in &mut self.streams {
            stream.after = if stream.is_new { boundary } else { i64::MIN };
            stream.rest_until = None;
        }
        self.dry.0 = [false; 4];
    }

    /// After a panic: every row that was in memory still is, and is not loaded again.
    pub(super) fn recover(&mut self) {
        self.loading = None;
        self.looked_at = None;
    }

    /// Begins to read, if there is room and something to read; `unread` events of the spool are not
    /// in memory, of those that earlier processes left and the `given` of this one.
    pub(super) fn begin(&mut self, now: Instant, unread: u64, given: u64) {
        let rests = |until: Option<Instant>| until.is_some_and(|until| until > now);
        if self.loading.is_some() || unread == 0 || rests(self.rest_until) {
            return;
        }
        let spool = self.spool.clone();
        if self.dry.1 != given {
            self.dry = ([false; 4], given);
        }
        // What this process promised comes first. Then old and new take turns, and of the old the
        // durable come first.
        let mut order = if self.is_turn_of_old {
            [NEW_DURABLE, OLD_DURABLE, OLD, NEW]
        } else {
            [NEW_DURABLE, NEW, OLD_DURABLE, OLD]
        };
        if self.ahead >= MOST_AHEAD {
            order.rotate_left(1);
        }
        let next = order.into_iter().find(|&index| {
            let stream = &self.streams[index];
            let most = if index == NEW_DURABLE {
                MOST_NEW_DURABLE
            } else {
                MOST_OTHERS
            };
            !stream.is_over() && !rests(stream.rest_until) && self.open[index] + PAGE <= most
        });
        let Some(index) = next else { return };
        if index == NEW_DURABLE {
            self.ahead = self.ahead.saturating_add(1);
        } else {
            self.is_turn_of_old = index == NEW;
        }
        let stream = self.streams[index];
        let page = async move {
            let page = spool.load(stream.guarantee, stream.after, PAGE).await;
            Read::Page(index, page.ok())
        };
        self.loading = Some(page.boxed());
    }

    #[cfg(all(test, feature = "spool"))]
    pub(super) fn is_loading(&self) -> bool {
        self.loading.is_some()
    }

    /// Waits for what is being read, which may be for ever.
    pub(super) async fn next(&mut self) -> Loaded {
        let Some(loading) = &mut self.loading else {
            return std::future::pending().await;
        };
        let read = loading.await;
        self.loading = None;
        let (index, read) = match read {
            Read::Page(index, read) => (index, read),
            Read::Mended(last) => {
                if let Some(last) = last {
                    self.known.1 = last;
                    self.rewind();
                } else {
                    self.looked_at = None;
                    self.rest_until = Some(Instant::now() + REST_AFTER_ERROR);
                }
                return Loaded::Events(Vec::new());
            }
        };
        let Some(read) = read else {
            self.rest_until = Some(Instant::now() + REST_AFTER_ERROR);
            return Loaded::Events(Vec::new());
        };
        let (events, is_at_end) = self.take(index, read);
        if !events.is_empty() || !is_at_end || self.spool.is_waiting() {
            self.dry.0 = [false; 4];
            return Loaded::Events(events);
        }
        if self.streams.get(index).is_none_or(Stream::is_over) {
            return Loaded::Events(events);
        }
        if let Some(dry) = self.dry.0.get_mut(index) {
            *dry = true;
        }
        let mut streams = self.streams.iter().zip(self.dry.0);
        if streams.any(|(stream, dry)| !(dry || stream.is_over())) {
            return Loaded::Events(events);
        }
        self.dry.0 = [false; 4];
        Loaded::NoneLeft(self.dry.1)
    }

    /// The events of a page, and whether the stream is at its end for now.
    fn take(&mut self, index: usize, page: Page) -> (Vec<(Spooled, Place)>, bool) {
        let Some(stream) = self.streams.get_mut(index) else {
            return (Vec::new(), true);
        };
        let mut events = Vec::with_capacity(page.events.len());
        for event in page.events {
            if event.row > stream.last {
                break;
            }
            let (known, until) = &self.known;
            if event.row <= *until && known.contains(&event.event.id()) {
                continue;
            }
            if event.row <= self.looked_until {
                self.looked_at = None;
            }
            let place = if stream.is_new {
                Place::Spool(stream.guarantee, stream.loaded)
            } else {
                Place::Recovered(stream.guarantee)
            };
            stream.loaded += 1;
            events.push((event, place));
        }
        // What lies behind is another stream's.
        stream.after = page.after.min(stream.last);
        let is_at_end = page.is_last || stream.is_over();
        let rests = is_at_end && events.is_empty();
        stream.rest_until = rests.then(|| Instant::now() + REST);
        if index != NEW_DURABLE && !events.is_empty() {
            self.ahead = 0;
        }
        self.open[index] += events.len();
        (events, is_at_end)
    }

    /// How many events of the spool are in memory, and how many of them this process gave to it.
    pub(super) fn open(&self) -> (u64, u64) {
        let [new_durable, new, old_durable, old] = self.open;
        let given = new_durable + new;
        ((given + old_durable + old) as u64, given as u64)
    }

    /// An event is in memory no more.
    pub(super) fn ended(&mut self, place: Place) {
        let index = match place {
            Place::Spool(Guarantee::Durable, _) => NEW_DURABLE,
            Place::Spool(Guarantee::BestEffort, _) => NEW,
            Place::Recovered(Guarantee::Durable) => OLD_DURABLE,
            Place::Recovered(Guarantee::BestEffort) => OLD,
            Place::Queue(_) => return,
        };
        self.open[index] = self.open[index].saturating_sub(1);
    }
}

impl Stream {
    /// Whether there will never be more in it.
    fn is_over(&self) -> bool {
        self.after >= self.last
    }
}

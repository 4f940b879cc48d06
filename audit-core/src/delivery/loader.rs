//! The reader of the spool: events that earlier processes left, and those that found no room in the
//! queue.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::time::Instant;

use super::disk::{Guarantee, Page, Spool, SpooledEvent};
use super::flush_barrier::Origin;
use super::parking::{ParkedEvent, Parking};
use super::pending_event::PendingEvent;
use crate::event::{EventId, now_millis};

/// The most durable events of this process in memory at once. They hold no place in the queue.
const MAX_NEW_DURABLE: usize = 256;
/// The most events in memory of each other stream. Each stream has room of its own, so that one
/// from which nothing is delivered never keeps another from being read.
const MAX_OTHERS: usize = 128;
/// The events that are read at once.
const PAGE: usize = 64;
/// The pages of this process's durable events after which another stream has a turn.
const MAX_PAGES_AHEAD: u8 = 8;
/// The time between two readings of the oldest event's age, while events are unread.
const OLDEST_INTERVAL: Duration = Duration::from_secs(10);
/// The most events that are delivered before their turn.
const MAX_DELIVERED: usize = 4_096;
/// The most parked events in memory at once that are due.
const MAX_REREAD: usize = 32;
/// The time until a stream without new events is read again.
const REST: Duration = Duration::from_millis(20);
/// The time until missing events are searched again, when none was found.
const CHECK_INTERVAL: Duration = Duration::from_secs(60);
/// The time until the spool is read again after an error.
const REST_AFTER_ERROR: Duration = Duration::from_secs(1);

/// The streams of a spool, as indices of [`Loader::streams`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum StreamId {
    /// Durable events of this process.
    NewDurable,
    /// Best-effort events of this process.
    New,
    /// Durable events that earlier processes left.
    OldDurable,
    /// Best-effort events that earlier processes left.
    Old,
}

impl StreamId {
    /// Returns the stream of an event, unless it came from the queue.
    fn of(origin: Origin) -> Option<Self> {
        match origin {
            Origin::Spool(Guarantee::Durable, _) => Some(Self::NewDurable),
            Origin::Spool(Guarantee::BestEffort, _) => Some(Self::New),
            Origin::Recovered(Guarantee::Durable) => Some(Self::OldDurable),
            Origin::Recovered(Guarantee::BestEffort) => Some(Self::Old),
            Origin::Queue(_) => None,
        }
    }
}

/// The rows of one guarantee, in order.
///
/// The rows that earlier processes left and those of this process are separate streams that take
/// turns, so that a long backlog delays no new event.
#[derive(Clone, Copy, Debug)]
struct Stream {
    guarantee: Guarantee,
    is_new: bool,
    /// The last row that was read.
    after: i64,
    /// The last row of this stream; rows above belong to another one.
    last: i64,
    loaded: u64,
    /// Events in the stream's room in memory.
    in_memory: usize,
    /// Events that are parked, or were read again, and so hold no room.
    outside: usize,
    /// Set when the stream was at its end, to the number of events that had been appended by then.
    ended_at: Option<u64>,
    rest_until: Option<Instant>,
}

/// A result of the spool.
enum Read {
    /// A sample of the events, unless it could not be read.
    Sample(Option<Page>),
    /// The time at which the oldest event was recorded, in milliseconds since 1970.
    Oldest(Option<u64>),
    /// The parked events that were due, unless they could not be read.
    Parked(Option<Vec<SpooledEvent>>),
    /// The next page of a stream, unless it could not be read.
    Page(StreamId, Option<Page>),
    /// The file was checked, and rebuilt if it was corrupt, with this as its last row; `None` if
    /// the check failed.
    Checked(Option<i64>),
}

/// A result of [`Loader::next`].
pub(super) enum Loaded {
    /// The next events, each with its origin.
    Events(Vec<(SpooledEvent, Origin)>),
    /// Parked events that are due; `None` for those whose rows are gone.
    Due(Vec<(ParkedEvent, Option<SpooledEvent>)>),
    /// The requested sample.
    Sample(Vec<SpooledEvent>),
    /// All streams are at their end, and no event waits for the disk: the spool has no more of the
    /// events that were appended, which were this many.
    Exhausted { appended: u64 },
}

/// The search for events that were appended to the spool and not read back.
#[derive(Default)]
struct MissingCheck {
    /// The last search, unless a missing event was found since.
    last_run: Option<Instant>,
    /// The last row that had been read then; no event was missing above it.
    read_up_to: i64,
    /// The events that were in memory then.
    in_memory: HashSet<EventId>,
    /// The last row up to which those events may be read once more. A later row is a new life of
    /// an event, as of a dead letter that was redriven.
    reread_up_to: i64,
}

impl MissingCheck {
    fn is_already_in_memory(&self, event: &SpooledEvent) -> bool {
        event.row <= self.reread_up_to && self.in_memory.contains(&event.event.id())
    }
}

/// The reader of the spool, which shares out its streams page by page.
pub(super) struct Loader {
    pub(super) spool: Spool,
    streams: [Stream; 4],
    /// Set if the next page is one of an earlier process, if there is a choice.
    is_turn_of_old: bool,
    /// The pages of this process's durable events since the last event of another stream.
    pages_ahead: u8,
    loading: Option<BoxFuture<'static, Read>>,
    rest_until: Option<Instant>,
    /// The events that had been appended when the last page was begun; `None` if some of them were
    /// not written yet.
    appended_before: Option<u64>,
    missing: MissingCheck,
    parking: Parking,
    /// The time at which the oldest event of the spool was recorded, in milliseconds since 1970.
    oldest: Option<u64>,
    oldest_read_at: Instant,
    is_sample_requested: bool,
    /// The number of samples that were read.
    samples: u32,
    /// Events that were delivered before their turn, by row.
    delivered: HashMap<i64, EventId>,
    /// Parked events that were read again and have not reached a final state.
    reread: usize,
}

impl Loader {
    pub(super) fn new(spool: Spool) -> Self {
        let boundary = spool.last_row_at_open();
        let stream = |guarantee, is_new| Stream {
            guarantee,
            is_new,
            after: if is_new { boundary } else { i64::MIN },
            last: if is_new { i64::MAX } else { boundary },
            loaded: 0,
            in_memory: 0,
            outside: 0,
            ended_at: None,
            rest_until: None,
        };
        Self {
            spool,
            // In the order of `StreamId`.
            streams: [
                stream(Guarantee::Durable, true),
                stream(Guarantee::BestEffort, true),
                stream(Guarantee::Durable, false),
                stream(Guarantee::BestEffort, false),
            ],
            is_turn_of_old: false,
            pages_ahead: 0,
            loading: None,
            rest_until: None,
            appended_before: None,
            parking: Parking::default(),
            oldest: None,
            oldest_read_at: Instant::now(),
            is_sample_requested: false,
            samples: 0,
            delivered: HashMap::new(),
            reread: 0,
            missing: MissingCheck {
                read_up_to: i64::MIN,
                reread_up_to: i64::MIN,
                ..MissingCheck::default()
            },
        }
    }

    /// Has the file checked for corruption that hides events, and reads it once more.
    ///
    /// Events `in_memory` are not read again. Returns whether the check runs: once a minute, unless
    /// a missing event was found since.
    pub(super) fn check_for_missing(&mut self, now: Instant, in_memory: HashSet<EventId>) -> bool {
        let last_run = self.missing.last_run;
        if last_run.is_some_and(|at| now < at + CHECK_INTERVAL) {
            return false;
        }
        let read = self.streams.iter().map(|stream| stream.after);
        self.missing = MissingCheck {
            last_run: Some(now),
            read_up_to: read.max().unwrap_or(i64::MIN),
            in_memory,
            reread_up_to: i64::MAX,
        };
        let spool = self.spool.clone();
        let checked = async move { Read::Checked(spool.check_for_corruption().await.ok()) };
        self.loading = Some(checked.boxed());
        true
    }

    fn rewind(&mut self) {
        let boundary = self.spool.last_row_at_open();
        for stream in &mut self.streams {
            stream.after = if stream.is_new { boundary } else { i64::MIN };
            stream.rest_until = None;
            stream.ended_at = None;
        }
    }

    fn stream(&mut self, id: StreamId) -> &mut Stream {
        &mut self.streams[id as usize]
    }

    /// Forgets what was being read, after a panic. Rows in memory stay there, and are not loaded
    /// again.
    pub(super) fn recover(&mut self) {
        self.loading = None;
        self.parking.stay(Instant::now());
        self.missing.last_run = None;
    }

    /// Returns whether all streams are at their end and no parked event is due.
    pub(super) fn is_at_end(&self, now: Instant, appended: u64) -> bool {
        self.loading.is_none()
            && self.streams.iter().all(|stream| stream.is_at_end(appended))
            && self.next_due().is_none_or(|due| due > now)
    }

    /// Starts to read a page, if there is room and something to read.
    ///
    /// `unread` is the number of events of the spool that are not in memory, of those that earlier
    /// processes left and of the `appended` ones of this process. It ends no stream: the totals of
    /// a corrupt file may be too small.
    pub(super) fn begin(&mut self, now: Instant, unread: u64, appended: u64) {
        let rests = |until: Option<Instant>| until.is_some_and(|until| until > now);
        if self.loading.is_some()
            || rests(self.rest_until)
            || self.begin_sample()
            || self.begin_parked(now)
            || unread > 0 && self.begin_oldest(now)
        {
            return;
        }
        if unread == 0 && self.streams.iter().all(|stream| stream.is_at_end(appended)) {
            return;
        }
        let spool = self.spool.clone();
        // An event that was counted is on disk by now, unless one is still unwritten.
        self.appended_before = (spool.unwritten() == 0).then_some(appended);
        // This process's durable events come first. Then old and new take turns, and of the old the
        // durable come first.
        let mut order = if self.is_turn_of_old {
            [
                StreamId::NewDurable,
                StreamId::OldDurable,
                StreamId::Old,
                StreamId::New,
            ]
        } else {
            [
                StreamId::NewDurable,
                StreamId::New,
                StreamId::OldDurable,
                StreamId::Old,
            ]
        };
        if self.pages_ahead >= MAX_PAGES_AHEAD {
            order.rotate_left(1);
        }
        let next = order.into_iter().find(|&id| {
            let max = match id {
                StreamId::NewDurable => MAX_NEW_DURABLE,
                _ => MAX_OTHERS,
            };
            let stream = self.stream(id);
            let is_over = stream.is_over() || (unread == 0 && stream.is_at_end(appended));
            !is_over && !rests(stream.rest_until) && stream.in_memory + PAGE <= max
        });
        let Some(id) = next else { return };
        if id == StreamId::NewDurable {
            self.pages_ahead = self.pages_ahead.saturating_add(1);
        } else {
            self.is_turn_of_old = id == StreamId::New;
        }
        let stream = *self.stream(id);
        let page = async move {
            let page = spool.load(stream.guarantee, stream.after, PAGE).await;
            Read::Page(id, page.ok())
        };
        self.loading = Some(page.boxed());
    }

    /// Requests a sample of the events on the spool.
    pub(super) fn request_sample(&mut self) {
        self.is_sample_requested = self.delivered.len() < MAX_DELIVERED;
    }

    /// Starts to read the requested sample: the newest events, and at random places in turn.
    fn begin_sample(&mut self) -> bool {
        if !std::mem::take(&mut self.is_sample_requested) {
            return false;
        }
        self.samples = self.samples.wrapping_add(1);
        let place = if self.samples % 2 == 1 {
            1.0
        } else {
            fastrand::f64()
        };
        let spool = self.spool.clone();
        let read = async move { Read::Sample(spool.sample(place, PAGE).await.ok()) };
        self.loading = Some(read.boxed());
        true
    }

    /// Returns the ids of the events that are parked, or were delivered before their turn.
    pub(super) fn known(&self) -> impl Iterator<Item = EventId> {
        let parked = self.parking.iter().map(|parked| parked.id);
        parked.chain(self.delivered.values().copied())
    }

    /// Notes that an event was delivered before its turn.
    pub(super) fn note_delivered(&mut self, row: i64, id: EventId) {
        self.delivered.insert(row, id);
    }

    /// Returns whether an event was delivered before its turn, which has come.
    pub(super) fn take_delivered(&mut self, row: i64, id: EventId) -> bool {
        self.delivered.remove(&row) == Some(id)
    }

    /// Starts to read the age of the oldest event, from time to time; returns whether it does.
    fn begin_oldest(&mut self, now: Instant) -> bool {
        if now < self.oldest_read_at + OLDEST_INTERVAL {
            return false;
        }
        self.oldest_read_at = now;
        let spool = self.spool.clone();
        let read = async move { Read::Oldest(spool.oldest_millis().await.ok().flatten()) };
        self.loading = Some(read.boxed());
        true
    }

    /// Returns the age of the oldest event of the spool, in memory or not, when it was last read.
    pub(super) fn oldest_age(&self) -> Option<Duration> {
        let age = now_millis().saturating_sub(self.oldest?);
        Some(Duration::from_millis(age))
    }

    /// Starts to read the parked events that are due; returns whether there are any.
    fn begin_parked(&mut self, now: Instant) -> bool {
        let room = MAX_REREAD.saturating_sub(self.reread);
        let rows = self.parking.leave(now, room);
        if rows.is_empty() {
            return false;
        }
        let spool = self.spool.clone();
        let read = async move { Read::Parked(spool.load_rows(rows).await.ok()) };
        self.loading = Some(read.boxed());
        true
    }

    /// Parks an event until its next attempt; returns whether there is room for it.
    ///
    /// It leaves the room of its stream, so that events that fail never keep others from being
    /// read.
    pub(super) fn park(&mut self, due: Instant, open: &mut PendingEvent) -> bool {
        let Some(id) = StreamId::of(open.origin) else {
            return false;
        };
        let Some(event) = self
            .parking
            .has_room()
            .then(|| ParkedEvent::of(open))
            .flatten()
        else {
            return false;
        };
        if open.was_parked {
            self.reread = self.reread.saturating_sub(1);
        } else {
            let stream = self.stream(id);
            stream.in_memory = stream.in_memory.saturating_sub(1);
            stream.outside += 1;
        }
        self.parking.add(due, event);
        true
    }

    /// Returns the parked events.
    pub(super) fn parked(&self) -> impl Iterator<Item = &ParkedEvent> {
        self.parking.iter()
    }

    pub(super) fn has_parked(&self) -> bool {
        self.parking.iter().next().is_some()
    }

    /// Returns the time at which the next parked event can be read; `None` while there is no room
    /// for it, or a page is being read.
    pub(super) fn next_due(&self) -> Option<Instant> {
        let is_possible = self.loading.is_none() && self.reread < MAX_REREAD;
        let due = self.parking.due().filter(|_| is_possible)?;
        Some(self.rest_until.map_or(due, |rest| rest.max(due)))
    }

    #[cfg(all(test, feature = "spool"))]
    pub(super) fn is_loading(&self) -> bool {
        self.loading.is_some()
    }

    /// Sets how many events of each stream count as in memory, in the order of `StreamId`.
    #[cfg(all(test, feature = "spool"))]
    pub(super) fn set_in_memory(&mut self, events: [usize; 4]) {
        for (stream, events) in self.streams.iter_mut().zip(events) {
            stream.in_memory = events;
        }
    }

    /// Waits for the page that is being read; without one, for ever.
    pub(super) async fn next(&mut self) -> Loaded {
        let Some(loading) = &mut self.loading else {
            return std::future::pending().await;
        };
        let read = loading.await;
        self.loading = None;
        let (id, page) = match read {
            Read::Page(id, page) => (id, page),
            Read::Parked(read) => return self.on_parked_read(read),
            Read::Sample(page) => {
                return Loaded::Sample(page.map(|page| page.events).unwrap_or_default());
            }
            Read::Oldest(millis) => {
                self.oldest = millis.or(self.oldest);
                return Loaded::Events(Vec::new());
            }
            Read::Checked(last) => {
                self.on_checked(last);
                return Loaded::Events(Vec::new());
            }
        };
        let Some(page) = page else {
            self.rest_until = Some(Instant::now() + REST_AFTER_ERROR);
            return Loaded::Events(Vec::new());
        };
        let (events, is_at_end) = self.take(id, page);
        let (true, true, Some(appended)) = (events.is_empty(), is_at_end, self.appended_before)
        else {
            return Loaded::Events(events);
        };
        self.stream(id).ended_at = Some(appended);
        if !self.streams.iter().all(|stream| stream.is_at_end(appended)) {
            return Loaded::Events(events);
        }
        Loaded::Exhausted { appended }
    }

    fn on_parked_read(&mut self, read: Option<Vec<SpooledEvent>>) -> Loaded {
        let Some(read) = read else {
            let rest = Instant::now() + REST_AFTER_ERROR;
            self.parking.stay(rest);
            self.rest_until = Some(rest);
            return Loaded::Events(Vec::new());
        };
        let mut read: HashMap<EventId, SpooledEvent> = read
            .into_iter()
            .map(|spooled| (spooled.event.id(), spooled))
            .collect();
        let due = self.parking.left();
        self.reread += due.len();
        let due = due.into_iter().map(|parked| {
            let spooled = read.remove(&parked.id);
            (parked, spooled)
        });
        Loaded::Due(due.collect())
    }

    fn on_checked(&mut self, last_row: Option<i64>) {
        match last_row {
            Some(last_row) => {
                self.missing.reread_up_to = last_row;
                self.rewind();
            }
            None => {
                self.missing.last_run = None;
                self.rest_until = Some(Instant::now() + REST_AFTER_ERROR);
            }
        }
    }

    /// Returns the events of a page, and whether the stream is at its end for now.
    fn take(&mut self, id: StreamId, page: Page) -> (Vec<(SpooledEvent, Origin)>, bool) {
        let stream = &mut self.streams[id as usize];
        let mut events = Vec::with_capacity(page.events.len());
        for event in page.events {
            if event.row > stream.last {
                break;
            }
            if self.missing.is_already_in_memory(&event) {
                continue;
            }
            if event.row <= self.missing.read_up_to {
                self.missing.last_run = None;
            }
            let origin = if stream.is_new {
                Origin::Spool(stream.guarantee, stream.loaded)
            } else {
                Origin::Recovered(stream.guarantee)
            };
            stream.loaded += 1;
            events.push((event, origin));
        }
        // Rows above belong to another stream.
        stream.after = page.after.min(stream.last);
        if page.is_last && !stream.is_new {
            // No row is added to what earlier processes left.
            stream.after = stream.last;
        }
        let is_at_end = page.is_last || stream.is_over();
        let rests = is_at_end && events.is_empty();
        stream.rest_until = rests.then(|| Instant::now() + REST);
        stream.in_memory += events.len();
        if id != StreamId::NewDurable && !events.is_empty() {
            self.pages_ahead = 0;
        }
        (events, is_at_end)
    }

    /// Returns how many events of the spool are in memory or parked, and how many of them this
    /// process appended.
    pub(super) fn in_memory(&self) -> InMemory {
        let known = |stream: &Stream| (stream.in_memory + stream.outside) as u64;
        let count = |streams: &[Stream]| streams.iter().map(known).sum();
        let (new, old) = self.streams.split_at(StreamId::OldDurable as usize);
        let (appended, recovered): (u64, u64) = (count(new), count(old));
        InMemory {
            appended,
            total: appended + recovered,
        }
    }

    /// Notes that an event has reached a final state.
    pub(super) fn release(&mut self, origin: Origin, was_parked: bool) {
        let Some(id) = StreamId::of(origin) else {
            return;
        };
        if was_parked {
            self.reread = self.reread.saturating_sub(1);
        }
        let stream = self.stream(id);
        let held = if was_parked {
            &mut stream.outside
        } else {
            &mut stream.in_memory
        };
        *held = held.saturating_sub(1);
    }
}

/// The events of the spool that are in memory.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct InMemory {
    pub(super) total: u64,
    /// Those of them that this process appended.
    pub(super) appended: u64,
}

impl Stream {
    /// Returns whether the stream can have no further rows.
    fn is_over(&self) -> bool {
        self.after >= self.last
    }

    /// Returns whether nothing is left to read, if this process has appended so many events.
    fn is_at_end(&self, appended: u64) -> bool {
        self.is_over() || self.ended_at == Some(appended)
    }
}

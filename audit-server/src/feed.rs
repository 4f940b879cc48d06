//! Following the stored events, one after the other, from the store.
//!
//! A reader is told that there is something new, and then reads the rows itself: nothing is
//! buffered for one that is slow.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::watch;

use crate::app::App;
use crate::records::{EventFilter, StoredEvent};
use crate::store::{self, StoreError};
use crate::subscription::LogHead;

/// A reader that is further behind than this many events is told how many it missed, and goes on
/// with the newest of them: a person cannot look at more, and a page that showed them all would
/// stay behind.
const MAX_BEHIND: u64 = 1_000;

/// How many events, and how many bytes of them, are fetched at once.
const FETCH_EVENTS: u32 = 100;
const FETCH_BYTES: usize = 1_024 * 1_024;

/// What comes next.
#[derive(Debug)]
pub(crate) enum FeedItem {
    Event(StoredEvent),
    /// So many events that pass the filter were passed over.
    Missed(u64),
}

/// The events that pass a filter, oldest first, now and in future.
pub(crate) struct Feed {
    app: Arc<App>,
    filter: EventFilter,
    head: watch::Receiver<LogHead>,
    /// The last `seq` that was looked at.
    seen: u64,
    fetched: VecDeque<StoredEvent>,
    /// Whether the store was asked at all: events of earlier runs are not announced.
    started: bool,
    /// Whether one that is far behind leaves events out.
    skips_when_behind: bool,
}

impl Feed {
    /// Follows the events after `filter.after`; from now on if there is none.
    pub(crate) async fn live(app: Arc<App>, filter: EventFilter) -> Result<Self, StoreError> {
        // Watched before the store is asked, so that nothing falls in between.
        let head = app.subscribers.watch();
        let seen = match filter.after {
            Some(seq) => seq,
            None => app.store.run(store::last_event).await?,
        };
        Ok(Self {
            app,
            filter,
            head,
            seen,
            fetched: VecDeque::new(),
            started: false,
            skips_when_behind: true,
        })
    }

    /// Follows the events after `filter.after`, from the first one on if there is none, and leaves
    /// none out.
    pub(crate) fn complete(app: Arc<App>, filter: EventFilter) -> Self {
        let head = app.subscribers.watch();
        let seen = filter.after.unwrap_or(0);
        Self {
            app,
            filter,
            head,
            seen,
            fetched: VecDeque::new(),
            started: false,
            skips_when_behind: false,
        }
    }

    /// Waits for what comes next; `None` once the server stops.
    ///
    /// # Cancellation
    /// Nothing is lost: what was fetched is kept, what was not is fetched again.
    pub(crate) async fn next(&mut self) -> Result<Option<FeedItem>, StoreError> {
        loop {
            if let Some(event) = self.fetched.pop_front() {
                return Ok(Some(FeedItem::Event(event)));
            }
            let head = *self.head.borrow_and_update();
            if !head.open {
                return Ok(None);
            }
            if !self.started || head.seq > self.seen {
                if let Some(missed) = self.fetch().await? {
                    return Ok(Some(FeedItem::Missed(missed)));
                }
                continue;
            }
            if self.head.changed().await.is_err() {
                return Ok(None);
            }
        }
    }

    /// Fetches the next rows; the answer is how many were passed over, if any.
    async fn fetch(&mut self) -> Result<Option<u64>, StoreError> {
        let filter = self.filter.clone().after(self.seen).limit(FETCH_EVENTS);
        let (seen, skips_when_behind) = (self.seen, self.skips_when_behind);
        let (last, from, missed, events, more) = self
            .app
            .read_audit_log(move |tx| {
                let last = store::last_event(tx)?;
                let from = if skips_when_behind && last.saturating_sub(seen) > MAX_BEHIND {
                    last - MAX_BEHIND
                } else {
                    seen
                };
                let missed = match from > seen {
                    true => store::count_events(tx, &filter.clone().before(from + 1))?,
                    false => 0,
                };
                let (events, more) = store::list_page(tx, &filter.after(from), FETCH_BYTES)?;
                Ok((last, from, missed, events, more))
            })
            .await?;
        self.started = true;
        self.seen = match events.last() {
            Some(event) if more => event.seq,
            _ => last.max(from),
        };
        self.fetched = events.into();
        Ok(Some(missed).filter(|missed| *missed > 0))
    }
}

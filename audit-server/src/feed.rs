//! Follows the stored events, in order, from the store.
//!
//! A reader is notified of new events and then reads the rows itself, so nothing is buffered for a
//! slow reader.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::watch;

use crate::app::App;
use crate::records::{EventFilter, StoredEvent};
use crate::store::{self, StoreError};
use crate::subscription::LogHead;

/// The backlog beyond which a live reader skips to the newest events and receives the number of
/// missed ones. A page that showed every event would never catch up.
const MAX_BEHIND: u64 = 1_000;

/// The events, and their bytes, that are fetched at once.
const FETCH_EVENTS: u32 = 100;
const FETCH_BYTES: usize = 1_024 * 1_024;

/// One step of a feed.
#[derive(Debug)]
pub(crate) enum FeedItem {
    Event(StoredEvent),
    /// The number of matching events that were skipped.
    Missed(u64),
}

/// The events that match a filter, oldest first, now and in future.
pub(crate) struct Feed {
    app: Arc<App>,
    filter: EventFilter,
    head: watch::Receiver<LogHead>,
    /// The last `seq` that was read.
    seen: u64,
    fetched: VecDeque<StoredEvent>,
    /// `true` once the store was read: events of earlier runs are not announced.
    started: bool,
    /// `true` if a reader that is far behind skips events.
    skips_when_behind: bool,
}

impl Feed {
    /// Follows the events after `filter.after`, or from now on; skips events if the reader is far
    /// behind.
    pub(crate) async fn live(app: Arc<App>, filter: EventFilter) -> Result<Self, StoreError> {
        // Watch before reading the store, so that no event falls in between.
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

    /// Follows the events after `filter.after`, or from the first one on, without skipping any.
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

    /// Waits for the next item; returns `None` once the server stops.
    ///
    /// # Cancellation
    /// Safe: fetched events are kept, and unfetched ones are fetched again.
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

    /// Fetches the next rows; returns the number of skipped events, if any.
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

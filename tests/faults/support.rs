//! A sink that does as it is told, and the ledger.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use audit_tower::{Delivery, Event, EventId, Fault, RateLimit, Recorder, RecorderBuilder, Sink};
use tokio::time::Instant;

pub(crate) const SECOND: Duration = Duration::from_secs(1);
pub(crate) const MINUTE: Duration = Duration::from_secs(60);
pub(crate) const HOUR: Duration = Duration::from_secs(3_600);

type Answer = dyn Fn(&Event, Duration) -> Delivery + Send + Sync;

/// Answers each attempt by a function of the event and of the time since the sink was made.
#[derive(Clone)]
pub(crate) struct Told {
    born: Instant,
    pace: RateLimit,
    latency: Duration,
    answer: Arc<Answer>,
    attempts: Arc<Mutex<Vec<Attempt>>>,
}

/// An attempt that came to its end.
#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    pub(crate) id: EventId,
    pub(crate) organization: String,
    /// Since the sink was made.
    pub(crate) at: Duration,
    pub(crate) taken: bool,
}

impl Told {
    pub(crate) fn new(
        answer: impl Fn(&Event, Duration) -> Delivery + Send + Sync + 'static,
    ) -> Self {
        Self {
            born: Instant::now(),
            pace: RateLimit::unlimited(),
            latency: Duration::ZERO,
            answer: Arc::new(answer),
            attempts: Arc::default(),
        }
    }

    pub(crate) fn taking() -> Self {
        Self::new(|_, _| Ok(()))
    }

    /// Answers nobody until then.
    pub(crate) fn away_until(until: Duration) -> Self {
        Self::new(move |_, at| {
            if at < until {
                return Err(Fault::retryable("503"));
            }
            Ok(())
        })
    }

    pub(crate) fn rate_limit(mut self, per_second: f64) -> Self {
        self.pace = RateLimit::per_second(per_second);
        self
    }

    pub(crate) fn latency(mut self, latency: Duration) -> Self {
        self.latency = latency;
        self
    }

    pub(crate) fn attempts(&self) -> Vec<Attempt> {
        self.attempts.lock().unwrap().clone()
    }

    /// The events that were taken, in their order.
    pub(crate) fn taken(&self) -> Vec<EventId> {
        let attempts = self.attempts();
        let taken = attempts.iter().filter(|attempt| attempt.taken);
        taken.map(|attempt| attempt.id).collect()
    }

    pub(crate) fn now(&self) -> Duration {
        self.born.elapsed()
    }
}

impl Sink for Told {
    async fn deliver(&self, event: &Event) -> Delivery {
        let at = self.now();
        if !self.latency.is_zero() {
            tokio::time::sleep(self.latency).await;
        }
        let answer = (self.answer)(event, at);
        self.attempts.lock().unwrap().push(Attempt {
            id: event.id(),
            organization: event.organization().unwrap_or_default().to_owned(),
            at,
            taken: answer.is_ok(),
        });
        answer
    }

    fn rate_limit(&self) -> RateLimit {
        self.pace.clone()
    }
}

/// A recorder under the clock of the test.
pub(crate) fn start(builder: RecorderBuilder) -> Recorder {
    builder.build_in_runtime().unwrap()
}

pub(crate) fn event_of(organization: &str) -> Event {
    let event = Event::builder("document.delete").organization(organization);
    event.build().unwrap()
}

pub(crate) fn record(recorder: &Recorder, count: usize) -> Vec<EventId> {
    let record = |_| {
        let event = event_of("org_1");
        let id = event.id();
        recorder.record(event).unwrap();
        id
    };
    (0..count).map(record).collect()
}

/// Every event is in exactly one place.
pub(crate) fn assert_balanced(recorder: &Recorder) {
    let stats = recorder.stats();
    assert_eq!(
        stats.accepted + stats.recovered + stats.generated,
        stats.delivered + stats.coalesced + stats.pending + stats.spooled + stats.dead + stats.lost,
        "{stats:?}"
    );
}

/// Every one of them was taken, and each once.
pub(crate) fn assert_taken(sink: &Told, recorded: &[EventId]) {
    let (mut taken, mut recorded) = (sink.taken(), recorded.to_vec());
    taken.sort_unstable();
    recorded.sort_unstable();
    assert_eq!(taken, recorded);
}

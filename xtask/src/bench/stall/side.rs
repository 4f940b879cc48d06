//! One side of the comparison: a recorder, the service that it audits, and that service's clients.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use audit_tower::workos::{ApiKey, WorkOs};
use audit_tower::{Recorder, Report, Stats};
use tokio::task::JoinSet;

use super::load::Load;
use super::servers;
use crate::bench::latency::Latencies;
use crate::error::Error;

/// The time-out of an attempt at delivery; short, so that a stalled service gets many attempts in
/// one measurement.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(1);
/// The longest wait for a response of the audited service; a later one counts as blocked.
const BLOCKED: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(super) struct Side {
    pub(super) name: &'static str,
    pub(super) latencies: Latencies,
    /// Requests sent, each of which makes one event.
    pub(super) made: u64,
    /// Requests with the expected response.
    pub(super) answered: u64,
    recorder: Recorder,
    clients: Vec<reqwest::Client>,
    url: Arc<str>,
}

/// The events of a side at the end of the measurement.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ledger {
    pub(super) made: u64,
    /// The counts before the shutdown.
    pub(super) stats: Stats,
    /// The counts after it.
    pub(super) end: Stats,
    pub(super) report: Report,
}

impl Side {
    /// Starts the audited service, whose events go to the audit service at this address, and opens
    /// the clients' connections.
    pub(super) async fn start(
        name: &'static str,
        audit_service: SocketAddr,
        load: &Load,
    ) -> Result<Self, Error> {
        let failed =
            |what: &str, error: &dyn std::error::Error| Error::Finding(format!("{what}: {error}"));
        let key = ApiKey::new("sk_test_bench").map_err(|error| failed("make a key", &error))?;
        let sink = WorkOs::builder(key)
            .base_url(format!("http://{audit_service}"))
            .request_timeout(REQUEST_TIMEOUT)
            .build()
            .map_err(|error| failed("make the sink", &error))?;
        let recorder = Recorder::builder(sink)
            .capacity(usize::try_from(load.capacity.get()).unwrap_or(usize::MAX))
            .fallback_organization("org_bench")
            .build()
            .map_err(|error| failed("make the recorder", &error))?;
        let server = servers::service(recorder.clone())
            .await
            .map_err(|error| failed("start the audited service", &error))?;
        tokio::spawn(server.serve);
        let clients = (0..load.clients.get())
            .map(|_| reqwest::Client::builder().no_proxy().build())
            .collect::<Result<_, _>>()
            .map_err(|error| failed("make a client", &error))?;
        let mut side = Self {
            name,
            latencies: Latencies::default(),
            made: 0,
            answered: 0,
            recorder,
            clients,
            url: format!("http://{}/documents/42", server.address).into(),
        };
        // The first request of each client opens its connection, and is not measured.
        side.requests(load.clients.get()).await;
        Ok(side)
    }

    /// Sends this many requests and records their latencies.
    pub(super) async fn round(&mut self, requests: u32) {
        let latencies = self.requests(requests).await;
        self.latencies.add(latencies);
    }

    /// Divides the requests among the clients, and waits until each has a response or timed out.
    async fn requests(&mut self, requests: u32) -> Vec<Duration> {
        let mut tasks = JoinSet::new();
        let clients = (0..).zip(&self.clients);
        let count = u32::try_from(self.clients.len()).unwrap_or(u32::MAX);
        for (number, client) in clients {
            let share = requests / count + u32::from(number < requests % count);
            tasks.spawn(sequence(client.clone(), Arc::clone(&self.url), share));
        }
        let mut latencies = Vec::new();
        while let Some(ended) = tasks.join_next().await {
            // The count of responses shows a client that panicked.
            latencies.extend(ended.unwrap_or_default());
        }
        self.made += u64::from(requests);
        self.answered += latencies.len() as u64;
        latencies
    }

    /// Shuts the recorder down, with this deadline for pending events.
    pub(super) async fn end(&self, deadline: Duration) -> Ledger {
        let stats = self.recorder.stats();
        let report = self.recorder.shutdown(deadline).await;
        Ledger {
            made: self.made,
            stats,
            end: self.recorder.stats(),
            report,
        }
    }
}

/// Sends one request after the other; returns the latencies of those with the expected response.
async fn sequence(client: reqwest::Client, url: Arc<str>, requests: u32) -> Vec<Duration> {
    let mut latencies = Vec::new();
    for _ in 0..requests {
        let started = Instant::now();
        let response = tokio::time::timeout(BLOCKED, client.delete(&*url).send()).await;
        let latency = started.elapsed();
        if let Ok(Ok(response)) = response
            && response.status() == reqwest::StatusCode::NO_CONTENT
        {
            latencies.push(latency);
        }
    }
    latencies
}

impl Ledger {
    /// Returns a sentence for each count that does not add up.
    pub(super) fn gaps(&self) -> Vec<String> {
        let Self { made, end, .. } = self;
        let mut gaps = Vec::new();
        if end.accepted + end.refused != *made {
            gaps.push(format!(
                "{made} events were made, but {} accepted and {} refused",
                end.accepted, end.refused
            ));
        }
        if end.accepted != end.delivered + end.pending + end.dead + end.lost {
            gaps.push(format!(
                "{} events were accepted, but {} delivered, {} pending, {} dead and {} lost",
                end.accepted, end.delivered, end.pending, end.dead, end.lost
            ));
        }
        gaps
    }
}

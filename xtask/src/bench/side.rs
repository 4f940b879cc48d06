//! One of the two that are compared: a recorder, the service it audits, and the clients of that
//! service.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use audit_tower::workos::{ApiKey, WorkOs};
use audit_tower::{Recorder, Report, Stats};
use tokio::task::JoinSet;

use super::command::Stall;
use super::latency::Latencies;
use super::servers;
use crate::error::Error;

/// How long an attempt at delivery may take; short, so that a stalled service is tried many times
/// in one measurement.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(1);
/// A request to the audited service that is not answered by then was blocked.
const BLOCKED: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(super) struct Side {
    pub(super) name: &'static str,
    pub(super) latencies: Latencies,
    /// Requests sent, each of which makes one event.
    pub(super) made: u64,
    /// Requests that were answered as they should be.
    pub(super) answered: u64,
    recorder: Recorder,
    clients: Vec<reqwest::Client>,
    url: Arc<str>,
}

/// What is known of a side's events when all is over.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ledger {
    pub(super) made: u64,
    /// Before the shutdown.
    pub(super) stats: Stats,
    /// After it.
    pub(super) end: Stats,
    pub(super) report: Report,
}

impl Side {
    /// Starts the audited service, whose events go to the audit service at this address, and opens
    /// the clients' connections.
    pub(super) async fn start(
        name: &'static str,
        audit_service: SocketAddr,
        stall: &Stall,
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
            .capacity(usize::try_from(stall.capacity.get()).unwrap_or(usize::MAX))
            .fallback_organization("org_bench")
            .build()
            .map_err(|error| failed("make the recorder", &error))?;
        let server = servers::service(recorder.clone())
            .await
            .map_err(|error| failed("start the audited service", &error))?;
        tokio::spawn(server.serve);
        let clients = (0..stall.clients.get())
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
        side.requests(stall.clients.get()).await;
        Ok(side)
    }

    /// Sends this many requests and measures them.
    pub(super) async fn round(&mut self, requests: u32) {
        let latencies = self.requests(requests).await;
        self.latencies.add(latencies);
    }

    /// Shares the requests out among the clients, and waits until all are answered or given up.
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
            // A client that panicked has answered nothing, which the count shows.
            latencies.extend(ended.unwrap_or_default());
        }
        self.made += u64::from(requests);
        self.answered += latencies.len() as u64;
        latencies
    }

    /// Ends the delivery, with this long for what is still pending.
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

/// One request after the other; the latencies of those that were answered as they should be.
async fn sequence(client: reqwest::Client, url: Arc<str>, requests: u32) -> Vec<Duration> {
    let mut latencies = Vec::new();
    for _ in 0..requests {
        let started = Instant::now();
        let answer = tokio::time::timeout(BLOCKED, client.delete(&*url).send()).await;
        let latency = started.elapsed();
        if let Ok(Ok(answer)) = answer
            && answer.status() == reqwest::StatusCode::NO_CONTENT
        {
            latencies.push(latency);
        }
    }
    latencies
}

impl Ledger {
    /// What does not add up, a sentence each.
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

//! The senders that are compared.

use std::time::Duration;

use audit_tower::workos::{ApiKey, WorkOs};
use audit_tower::{RateLimit, Recorder};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use workos::audit_logs::CreateEventParams;

use crate::Result;
use crate::event_data::EventData;
use crate::record::official_event;

/// Requests of one sender at a time.
pub(super) const IN_FLIGHT: usize = 32;

/// The longest that our recorder may take for a round.
const FLUSH_DEADLINE: Duration = Duration::from_secs(60);
const PATH: &str = "/audit_logs/events";

pub(super) trait Sender {
    /// Sends this many events, and returns when the server has taken all of them.
    fn send(&mut self, events: usize) -> Result<()>;
}

fn runtime() -> Result<Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?)
}

/// Returns a request body, for the senders that only send.
fn body() -> Result<Bytes> {
    Ok(serde_json::to_vec(&official_event(&EventData::default(), 42))?.into())
}

/// Sends all events, with at most `in_flight` at a time.
async fn send_concurrently<F>(
    events: usize,
    in_flight: usize,
    mut one: impl FnMut(u64) -> F,
) -> Result<()>
where
    F: Future<Output = std::result::Result<(), String>> + 'static,
{
    let local = tokio::task::LocalSet::new();
    let mut tasks = JoinSet::new();
    let all = async {
        for id in 0..events as u64 {
            if tasks.len() == in_flight
                && let Some(done) = tasks.join_next().await
            {
                done??;
            }
            tasks.spawn_local(one(id));
        }
        while let Some(done) = tasks.join_next().await {
            done??;
        }
        Ok(())
    };
    local.run_until(all).await
}

pub(super) struct Ours {
    data: EventData,
    recorder: Recorder,
}

impl Ours {
    pub(super) fn new(url: &str) -> Result<Self> {
        let client = WorkOs::builder(ApiKey::new("sk_bench")?);
        let client = client.base_url(url).rate_limit(RateLimit::unlimited()).build()?;
        let recorder = Recorder::builder(client).concurrency(IN_FLIGHT);
        Ok(Self {
            data: EventData::default(),
            recorder: recorder.build()?,
        })
    }
}

impl Sender for Ours {
    fn send(&mut self, events: usize) -> Result<()> {
        for id in 0..events as u64 {
            self.recorder.record(self.data.event(id)?)?;
        }
        let report = self.recorder.flush_blocking(FLUSH_DEADLINE);
        if !report.is_complete() {
            return Err(format!("not all was delivered: {report:?}").into());
        }
        Ok(())
    }
}

pub(super) struct Official {
    data: EventData,
    client: workos::Client,
    in_flight: usize,
    runtime: Runtime,
}

impl Official {
    pub(super) fn new(url: &str, in_flight: usize) -> Result<Self> {
        let client = workos::Client::builder().api_key("sk_bench").base_url(url);
        Ok(Self {
            data: EventData::default(),
            client: client.build(),
            in_flight,
            runtime: runtime()?,
        })
    }
}

impl Sender for Official {
    fn send(&mut self, events: usize) -> Result<()> {
        let Self {
            data,
            client,
            in_flight,
            runtime,
        } = self;
        runtime.block_on(send_concurrently(events, *in_flight, |id| {
            let client = client.clone();
            let params = CreateEventParams::new(official_event(data, id));
            async move {
                let answer = client.audit_logs().create_event(params).await;
                answer.map(drop).map_err(|error| error.to_string())
            }
        }))
    }
}

pub(super) struct Reqwest {
    client: reqwest::Client,
    url: String,
    body: Bytes,
    runtime: Runtime,
}

impl Reqwest {
    pub(super) fn new(url: &str) -> Result<Self> {
        Ok(Self {
            client: reqwest::Client::builder().build()?,
            url: format!("{url}{PATH}"),
            body: body()?,
            runtime: runtime()?,
        })
    }
}

impl Sender for Reqwest {
    fn send(&mut self, events: usize) -> Result<()> {
        let Self {
            client,
            url,
            body,
            runtime,
        } = self;
        runtime.block_on(send_concurrently(events, IN_FLIGHT, |_| {
            let request = client
                .post(url.as_str())
                .header("content-type", "application/json")
                .body(body.clone());
            async move {
                let answer = async { request.send().await?.bytes().await };
                answer.await.map(drop).map_err(|error| error.to_string())
            }
        }))
    }
}

pub(super) struct Hyper {
    client: Client<HttpConnector, Full<Bytes>>,
    url: String,
    body: Bytes,
    runtime: Runtime,
}

impl Hyper {
    pub(super) fn new(url: &str) -> Result<Self> {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        Ok(Self {
            client: Client::builder(TokioExecutor::new()).build(connector),
            url: format!("{url}{PATH}"),
            body: body()?,
            runtime: runtime()?,
        })
    }
}

impl Sender for Hyper {
    fn send(&mut self, events: usize) -> Result<()> {
        let Self {
            client,
            url,
            body,
            runtime,
        } = self;
        runtime.block_on(send_concurrently(events, IN_FLIGHT, |_| {
            let request = Request::post(url.as_str())
                .header("content-type", "application/json")
                .body(Full::new(body.clone()));
            let client = client.clone();
            async move {
                let request = request.map_err(|error| error.to_string())?;
                let answer = client.request(request).await;
                let answer = answer.map_err(|error| error.to_string())?;
                let body = answer.into_body().collect().await;
                body.map(drop).map_err(|error| error.to_string())
            }
        }))
    }
}

//! Everything the demo starts: the audit log server, the recorder, the documents service.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use audit_catalog::Catalog;
use audit_server::{EventStatus, Fault, LocalServer, StoredEvent, Subscription};
use audit_tower::workos::{ApiKey, Order, PageQuery, WorkOs};
use audit_tower::{Recorder, Report, Spool, Stats};
use examples::service::{AppState, Mailer};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::client::Client;
use crate::framework::Framework;
use crate::outage::ATTEMPT;
use crate::{Args, PATIENCE, Result};

/// The organization of the local server, unless another is named.
const ORGANIZATION: &str = "org_acme";

pub(crate) struct World {
    /// `None` when events go to WorkOS.
    server: Option<LocalServer>,
    recorder: Recorder,
    /// Where the spool is, for as long as the demo runs.
    _disk: TempDir,
    pub(crate) mailer: Mailer,
    pub(crate) organization: String,
    pub(crate) address: SocketAddr,
    framework: Framework,
    service: Option<(oneshot::Sender<()>, JoinHandle<std::io::Result<()>>)>,
}

impl World {
    pub(crate) async fn start(args: &Args) -> Result<Self> {
        let organization = args
            .organization
            .clone()
            .unwrap_or_else(|| ORGANIZATION.to_owned());
        let (server, workos) = if args.live {
            (None, WorkOs::from_env()?)
        } else {
            let server = start_server(args, &organization)?;
            let key = ApiKey::new(server.api_key())?;
            let mut workos = WorkOs::builder(key).base_url(server.url());
            if args.outage.is_some() {
                workos = workos.request_timeout(ATTEMPT);
            }
            (Some(server), workos.build()?)
        };
        register(&workos).await?;

        // A failed sign-in belongs to no member, so it names no organization of its own.
        let disk = tempfile::tempdir()?;
        let recorder = Recorder::builder(workos)
            .fallback_organization(organization.as_str())
            .spool(Spool::open(disk.path().join("audit.spool"))?)
            .build()?;
        let state = AppState::new(&organization);
        let mailer = state.mailer.clone();
        let listener = listen(args).await?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel();
        let stopped = async { drop(stopped.await) };
        let serving = args
            .framework
            .serve(listener, state, recorder.clone(), stopped);
        Ok(Self {
            server,
            recorder,
            _disk: disk,
            mailer,
            organization,
            address,
            framework: args.framework,
            service: Some((stop, serving)),
        })
    }

    /// Says what was started and, for those who have the time, how to try it.
    pub(crate) fn introduce(&self, with_examples: bool) {
        let address = self.address;
        match &self.server {
            Some(server) => {
                anstream::println!("audit log server   {}   (local, in memory)", server.url())
            }
            None => anstream::println!(
                "audit log server   WorkOS, organization {}",
                self.organization
            ),
        }
        anstream::println!(
            "documents service  http://{address}   ({}; ada, ben and vic @acme.test, password `correct horse`)",
            self.framework.name()
        );
        if !with_examples {
            return;
        }
        if self.framework == Framework::Tonic {
            anstream::println!(
                "
Try it, in another terminal:

  grpcurl -plaintext -import-path examples/proto -proto documents.proto \\
    -d '{{\"email\":\"ada@acme.test\",\"password\":\"correct horse\"}}' {address} documents.v1.Documents/SignIn"
            );
            return;
        }
        anstream::println!(
            "
Try it, in another terminal:

  token=$(curl -s http://{address}/sessions --json '{{\"email\":\"ada@acme.test\",\"password\":\"correct horse\"}}' | cut -d'\"' -f4)
  curl -i http://{address}/documents -H \"authorization: Bearer $token\" --json '{{\"title\":\"Plan\",\"pages\":12}}'
  curl -i http://{address}/members -H \"authorization: Bearer $token\" --json '{{\"email\":\"new@acme.test\",\"role\":\"viewer\"}}'
  curl -i http://{address}/sessions --json '{{\"email\":\"ada@acme.test\",\"password\":\"wrong\"}}'"
        );
        if let Some(server) = &self.server {
            anstream::println!("  curl -s '{}/_local/events?limit=3'", server.url());
        }
    }

    pub(crate) fn client(&self) -> Result<Client> {
        Client::new(self.address, self.framework)
    }

    /// The events that the local server receives from now on.
    pub(crate) fn subscribe(&self) -> Option<Subscription> {
        self.server.as_ref().map(LocalServer::subscribe)
    }

    /// Waits until what was accepted so far has come to an end.
    pub(crate) async fn flush(&self) {
        self.recorder.flush(PATIENCE).await;
    }

    /// [`World::flush`], for longer.
    pub(crate) async fn flush_within(&self, time: Duration) -> Report {
        self.recorder.flush(time).await
    }

    pub(crate) fn stats(&self) -> Stats {
        self.recorder.stats()
    }

    /// Where the local server is, and its key.
    pub(crate) fn server(&self) -> Option<(&str, &str)> {
        let server = self.server.as_ref()?;
        Some((server.url(), server.api_key()))
    }

    /// From now on the local server takes events and does not answer.
    pub(crate) fn stop_answering(&self) {
        if let Some(server) = &self.server {
            let silence = Fault::latency(Duration::from_secs(3_600)).times(u32::MAX);
            server.inject(silence.on("POST", "/audit_logs/events"));
        }
    }

    pub(crate) fn answer_again(&self) {
        if let Some(server) = &self.server {
            server.clear_faults();
        }
    }

    /// The events that the local server accepted.
    pub(crate) fn stored(&self) -> Result<Vec<StoredEvent>> {
        let Some(server) = &self.server else {
            return Ok(Vec::new());
        };
        let mut events = server.events()?;
        events.retain(|event| event.status() == EventStatus::Accepted);
        Ok(events)
    }

    /// Ends the service first, then the recorder, then the server, so that everything can still be
    /// delivered.
    pub(crate) async fn stop(&mut self) -> Result<Stats> {
        if let Some((stop, serving)) = self.service.take() {
            // The receiver lives as long as the task.
            let _ = stop.send(());
            match tokio::time::timeout(PATIENCE, serving).await {
                Ok(ended) => ended??,
                Err(_) => {
                    anstream::eprintln!("some connections are still open; ending all the same")
                }
            }
        }
        self.recorder.shutdown(PATIENCE).await;
        for letter in self.recorder.dead_letters() {
            anstream::eprintln!(
                "dead letter {} ({}): {}",
                letter.id(),
                letter.event().action(),
                letter.fault()
            );
        }
        if let Some(server) = self.server.take() {
            server.shutdown()?;
        }
        Ok(self.recorder.stats())
    }
}

/// Registers what the catalog declares and the service does not have yet, as it must be before the
/// first event.
async fn register(workos: &WorkOs) -> Result<()> {
    let catalog = Catalog::parse(include_str!("../../../audit.toml"), "audit.toml")?;
    let mut known = Vec::new();
    let mut query = PageQuery::new().limit(100).order(Order::Ascending);
    loop {
        let page = workos.list_actions(query.clone()).await?;
        known.extend(page.data.into_iter().map(|action| action.name));
        let Some(after) = page.after else { break };
        query = query.after(after);
    }
    for action in catalog
        .actions()
        .filter(|action| !known.iter().any(|name| name == action.name()))
    {
        workos
            .create_schema(action.name(), &action.wire_schema())
            .await?;
    }
    Ok(())
}

/// The local server, on another port if the usual one is taken.
fn start_server(args: &Args, organization: &str) -> Result<LocalServer> {
    let start = |address| {
        LocalServer::builder()
            .listen(address)
            .organization(organization)
            .start()
    };
    let free = SocketAddr::new(args.server.ip(), 0);
    Ok(if args.once {
        start(free)
    } else {
        start(args.server).or_else(|_| start(free))
    }?)
}

/// The service's listener, on another port if the usual one is taken.
async fn listen(args: &Args) -> Result<TcpListener> {
    let free = SocketAddr::new(args.listen.ip(), 0);
    let wanted = if args.once { free } else { args.listen };
    match TcpListener::bind(wanted).await {
        Err(error) if error.kind() == ErrorKind::AddrInUse => Ok(TcpListener::bind(free).await?),
        listener => Ok(listener?),
    }
}

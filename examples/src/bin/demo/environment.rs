//! The environment of the demo: the audit log server, the recorder and the documents service.

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

use crate::args::Args;
use crate::client::Client;
use crate::common::{DEADLINE, Result};
use crate::framework::Framework;

/// Timeout of a delivery attempt. The default of 30 seconds would be long for a demo.
pub(crate) const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(3);

/// Default organization of the local server.
const ORGANIZATION: &str = "org_acme";

pub(crate) struct Environment {
    /// `None` if events are delivered to WorkOS.
    server: Option<LocalServer>,
    recorder: Recorder,
    /// The folder of the spool, deleted at the end.
    _folder: TempDir,
    pub(crate) mailer: Mailer,
    pub(crate) organization: String,
    pub(crate) address: SocketAddr,
    framework: Framework,
    service: Option<(oneshot::Sender<()>, JoinHandle<std::io::Result<()>>)>,
}

impl Environment {
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
                workos = workos.request_timeout(ATTEMPT_TIMEOUT);
            }
            (Some(server), workos.build()?)
        };
        register(&workos).await?;

        // A failed sign-in has no user, and so no organization.
        let folder = tempfile::tempdir()?;
        let recorder = Recorder::builder(workos)
            .fallback_organization(organization.as_str())
            .spool(Spool::open(folder.path().join("audit.spool"))?)
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
            _folder: folder,
            mailer,
            organization,
            address,
            framework: args.framework,
            service: Some((stop, serving)),
        })
    }

    /// Prints the addresses and, on request, commands to try.
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
Try it in another terminal:

  grpcurl -plaintext -import-path examples/proto -proto documents.proto \\
    -d '{{\"email\":\"ada@acme.test\",\"password\":\"correct horse\"}}' {address} documents.v1.Documents/SignIn"
            );
            return;
        }
        anstream::println!(
            "
Try it in another terminal:

  token=$(curl -s http://{address}/sessions --json '{{\"email\":\"ada@acme.test\",\"password\":\"correct horse\"}}' | cut -d'\"' -f4)
  curl -i http://{address}/documents -H \"authorization: Bearer $token\" --json '{{\"title\":\"Plan\",\"pages\":12}}'
  curl -i http://{address}/members -H \"authorization: Bearer $token\" --json '{{\"email\":\"new@acme.test\",\"role\":\"viewer\"}}'
  curl -i http://{address}/sessions --json '{{\"email\":\"ada@acme.test\",\"password\":\"wrong\"}}'"
        );
        if let Some(server) = &self.server {
            anstream::println!("  curl -s '{}/_local/events?limit=3'", server.url());
        }
    }

    /// Returns a client of the documents service.
    pub(crate) fn client(&self) -> Result<Client> {
        Client::new(self.address, self.framework)
    }

    /// Subscribes to the events that the local server receives from now on.
    pub(crate) fn subscribe(&self) -> Option<Subscription> {
        self.server.as_ref().map(LocalServer::subscribe)
    }

    /// Waits until all accepted events are delivered or dead letters.
    pub(crate) async fn flush(&self) {
        self.recorder.flush(DEADLINE).await;
    }

    /// As [`Environment::flush`], with a deadline.
    pub(crate) async fn flush_within(&self, time: Duration) -> Report {
        self.recorder.flush(time).await
    }

    pub(crate) fn stats(&self) -> Stats {
        self.recorder.stats()
    }

    /// Returns the URL and the API key of the local server.
    pub(crate) fn server(&self) -> Option<(&str, &str)> {
        let server = self.server.as_ref()?;
        Some((server.url(), server.api_key()))
    }

    /// Injects a fault: the local server no longer responds to events.
    pub(crate) fn stop_responding(&self) {
        if let Some(server) = &self.server {
            let fault = Fault::latency(Duration::from_secs(3_600)).times(u32::MAX);
            server.inject(fault.on("POST", "/audit_logs/events"));
        }
    }

    /// Removes the fault.
    pub(crate) fn respond_again(&self) {
        if let Some(server) = &self.server {
            server.clear_faults();
        }
    }

    /// Returns the events that the local server has accepted.
    pub(crate) fn stored(&self) -> Result<Vec<StoredEvent>> {
        let Some(server) = &self.server else {
            return Ok(Vec::new());
        };
        let mut events = server.events()?;
        events.retain(|event| event.status() == EventStatus::Accepted);
        Ok(events)
    }

    /// Stops the service, the recorder and the server, in this order, so that all events are
    /// delivered.
    pub(crate) async fn stop(&mut self) -> Result<Stats> {
        if let Some((stop, serving)) = self.service.take() {
            // The receiver lives as long as the task.
            let _ = stop.send(());
            match tokio::time::timeout(DEADLINE, serving).await {
                Ok(ended) => ended??,
                Err(_) => {
                    anstream::eprintln!("some connections are still open; stopping anyway")
                }
            }
        }
        self.recorder.shutdown(DEADLINE).await;
        for dead_letter in self.recorder.dead_letters() {
            anstream::eprintln!(
                "dead letter {} ({}): {}",
                dead_letter.id(),
                dead_letter.event().action(),
                dead_letter.fault()
            );
        }
        if let Some(server) = self.server.take() {
            server.shutdown()?;
        }
        Ok(self.recorder.stats())
    }
}

/// Registers the actions of the catalog that the service does not have, before the first event.
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

/// Starts the local server, on a free port if the default one is in use.
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

/// Listens for the service, on a free port if the default one is in use.
async fn listen(args: &Args) -> Result<TcpListener> {
    let free = SocketAddr::new(args.listen.ip(), 0);
    let wanted = if args.once { free } else { args.listen };
    match TcpListener::bind(wanted).await {
        Err(error) if error.kind() == ErrorKind::AddrInUse => Ok(TcpListener::bind(free).await?),
        listener => Ok(listener?),
    }
}

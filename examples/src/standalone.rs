//! A service that runs by itself, without the demo around it.

use std::error::Error;
use std::io;
use std::time::Duration;

use audit_core::{Recorder, Spool, WorkOs};
use tokio::net::TcpListener;

use crate::service::AppState;

/// Where it listens.
const ADDRESS: &str = "127.0.0.1:4180";
/// The organization of its members; the local server has it under this name.
const ORGANIZATION: &str = "org_local";
/// Where its events are kept on disk, below the system's folder for temporary files.
const SPOOL: &str = "documents-service/audit.spool";
/// How long the recorder may take to deliver what is left, when the service has ended.
const DELIVERY: Duration = Duration::from_secs(5);

/// What a service needs to run.
#[derive(Debug)]
pub struct Alone {
    /// Where it listens.
    pub listener: TcpListener,
    /// Its data, with three members: `ada`, `ben` and `vic` `@acme.test`, with the password
    /// `correct horse`.
    pub state: AppState,
    /// Its recorder.
    pub recorder: Recorder,
}

impl Alone {
    /// Listens, and records to the service that `WORKOS_API_KEY` and `WORKOS_BASE_URL` name;
    /// `audited serve` prints both.
    pub async fn start() -> Result<Self, Box<dyn Error>> {
        let recorder = Recorder::builder(WorkOs::from_env()?)
            .fallback_organization(ORGANIZATION)
            .spool(Spool::open(std::env::temp_dir().join(SPOOL))?)
            .build()?;
        let listener = TcpListener::bind(ADDRESS).await?;
        anstream::println!("listening on http://{ADDRESS}; Ctrl-C ends");
        let state = AppState::new(ORGANIZATION);
        Ok(Self {
            listener,
            state,
            recorder,
        })
    }

    /// Delivers what is left, when the service has ended, and says what came of it.
    pub async fn end(recorder: Recorder, served: io::Result<()>) -> Result<(), Box<dyn Error>> {
        recorder.shutdown(DELIVERY).await;
        let stats = recorder.stats();
        anstream::println!(
            "accepted {}, delivered {}, dead {}, lost {}",
            stats.accepted,
            stats.delivered,
            stats.dead,
            stats.lost
        );
        Ok(served?)
    }
}

/// Ctrl-C or SIGTERM. Where the system cannot tell of them, at once, since the service could not be
/// ended otherwise.
pub async fn interrupted() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let Ok(mut terminate) = signal(SignalKind::terminate()) else {
            return;
        };
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
    }
    #[cfg(not(unix))]
    drop(tokio::signal::ctrl_c().await);
}

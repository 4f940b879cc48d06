//! The service without the demo.

use std::error::Error;
use std::io;
use std::time::Duration;

use audit_core::{Recorder, Spool, WorkOs};
use tokio::net::TcpListener;

use crate::service::AppState;

/// Address to listen on.
const ADDRESS: &str = "127.0.0.1:4180";
/// Organization of the members, which the local server knows by default.
const ORGANIZATION: &str = "org_local";
/// Path of the spool, in the system's folder for temporary files.
const SPOOL: &str = "documents-service/audit.spool";
/// Deadline for the delivery of the last events on shutdown.
const SHUTDOWN_DEADLINE: Duration = Duration::from_secs(5);

/// The parts of a service that is ready to serve.
#[derive(Debug)]
pub struct Standalone {
    /// The listener of its address.
    pub listener: TcpListener,
    /// The data, with the members `ada`, `ben` and `vic` `@acme.test`, whose password is
    /// `correct horse`.
    pub state: AppState,
    /// The recorder.
    pub recorder: Recorder,
}

impl Standalone {
    /// Listens, and starts a recorder for the service of `WORKOS_API_KEY` and `WORKOS_BASE_URL`.
    ///
    /// `audited serve` prints both variables.
    pub async fn start() -> Result<Self, Box<dyn Error>> {
        let recorder = Recorder::builder(WorkOs::from_env()?)
            .fallback_organization(ORGANIZATION)
            .spool(Spool::open(std::env::temp_dir().join(SPOOL))?)
            .build()?;
        let listener = TcpListener::bind(ADDRESS).await?;
        anstream::println!("listening on http://{ADDRESS}; Ctrl-C stops");
        let state = AppState::new(ORGANIZATION);
        Ok(Self {
            listener,
            state,
            recorder,
        })
    }

    /// Delivers the last events after the service has ended, and prints the counts.
    pub async fn shut_down(
        recorder: Recorder,
        served: io::Result<()>,
    ) -> Result<(), Box<dyn Error>> {
        recorder.shutdown(SHUTDOWN_DEADLINE).await;
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

/// Waits for Ctrl-C or SIGTERM.
///
/// If no handler can be installed it returns at once, since the service could not be stopped
/// otherwise.
pub async fn stop_signal() {
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

//! The web framework that serves the documents.

use std::io;

use audit_core::Recorder;
use clap::ValueEnum;
use examples::service::{AppState, actix, axum, tonic};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// The web framework that serves the documents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Framework {
    #[default]
    Axum,
    Actix,
    Tonic,
}

impl Framework {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Axum => "axum",
            Self::Actix => "actix-web",
            Self::Tonic => "tonic",
        }
    }

    /// Serves until `stop` is done, and then to the end of what is under way.
    pub(crate) fn serve(
        self,
        listener: TcpListener,
        state: AppState,
        recorder: Recorder,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> JoinHandle<io::Result<()>> {
        match self {
            Self::Axum => tokio::spawn(axum::serve(listener, state, recorder, stop)),
            Self::Actix => tokio::spawn(actix::serve(listener, state, recorder, stop)),
            Self::Tonic => tokio::spawn(tonic::serve(listener, state, recorder, stop)),
        }
    }
}

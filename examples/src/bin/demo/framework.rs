//! The web framework of the documents service.

use std::io;

use audit_core::Recorder;
use clap::ValueEnum;
use examples::service::{AppState, actix, axum, tonic};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// The web framework of the documents service.
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

    /// Serves until `stop` completes and the open requests have ended.
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

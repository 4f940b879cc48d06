//! The documents service on tonic, without the demo: `cargo run -p examples --bin tonic-service`.

use std::error::Error;

use examples::service;
use examples::standalone::{Standalone, stop_signal};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .init();
    let parts = Standalone::start().await?;
    let recorder = parts.recorder.clone();
    let served =
        service::tonic::serve(parts.listener, parts.state, parts.recorder, stop_signal()).await;
    Standalone::shut_down(recorder, served).await
}

//! The documents service on tonic, by itself: `cargo run -p examples --bin tonic-service`.

use std::error::Error;

use examples::alone::{Alone, interrupted};
use examples::service;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .init();
    let alone = Alone::start().await?;
    let recorder = alone.recorder.clone();
    let served =
        service::tonic::serve(alone.listener, alone.state, alone.recorder, interrupted()).await;
    Alone::end(recorder, served).await
}

//! Serves the notes on a free port, with their events sent to the service of the environment.

use std::error::Error;
use std::net::SocketAddr;
use std::time::Duration;

use audit_tower::{Recorder, WorkOs, catalog};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let recorder = Recorder::builder(WorkOs::from_env()?)
        .catalog(catalog!())
        .environment("local")
        .build()?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}", listener.local_addr()?);
    let app = consumer::app(recorder.clone()).into_make_service_with_connect_info::<SocketAddr>();
    let served = axum::serve(listener, app).await;
    recorder.shutdown(Duration::from_secs(5)).await;
    Ok(served?)
}

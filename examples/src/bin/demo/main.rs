//! `cargo demo`: starts a local audit log server and the documents service, sends requests, and
//! shows what arrives.
//!
//! `cargo demo -- --once` sends a fixed round of requests, compares what the server stored with
//! what must be there, and exits; with `--outage 30s` the audit service then stops answering in the
//! middle of traffic, and with `--restart` the documents service is killed meanwhile and started
//! again. `cargo demo -- --live --organization org_…` delivers to WorkOS, with the key in
//! `WORKOS_API_KEY`.

mod client;
mod expected;
mod framework;
mod grpc;
mod outage;
mod print;
mod restart;
mod round;
mod world;

use std::error::Error;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use audit_server::{StoredEvent, Subscription};
use audit_tower::unrecorded;
use clap::Parser;

use crate::framework::Framework;
use crate::print::{event_line, heading};
use crate::world::World;

pub(crate) type Result<T, E = Box<dyn Error + Send + Sync>> = std::result::Result<T, E>;

/// How long the demo waits for events that are on their way, and for delivery when it ends.
const PATIENCE: Duration = Duration::from_secs(10);

/// A documents service whose audit events arrive at a local audit log server.
#[derive(Debug, Parser)]
#[command(name = "cargo demo --", version)]
pub(crate) struct Args {
    /// Send one round of requests, compare what arrived with what must, print the counts, and exit.
    #[arg(long)]
    once: bool,
    /// After the round, let the audit service stop answering for so long in the middle of traffic,
    /// such as 30s.
    #[arg(long, requires = "once", conflicts_with = "live", value_name = "TIME", value_parser = humantime::parse_duration)]
    outage: Option<Duration>,
    /// Kill the documents service in the middle of the outage, and start it again.
    #[arg(long, requires = "outage")]
    restart: bool,
    /// The web framework that serves the documents; each leaves the same trail.
    #[arg(long, value_enum, default_value_t)]
    framework: Framework,
    /// Deliver to WorkOS instead of a local server; takes the key from WORKOS_API_KEY.
    #[arg(long, requires = "organization")]
    live: bool,
    /// The organization whose log the events go to.
    #[arg(long, value_name = "org_…")]
    organization: Option<String>,
    /// Where the documents service listens; with port 0, on any free port.
    #[arg(long, default_value = "127.0.0.1:4180")]
    listen: SocketAddr,
    /// Where the local audit log server listens; with port 0, on any free port.
    #[arg(long, default_value = "127.0.0.1:4100")]
    server: SocketAddr,
    #[command(flatten)]
    child: restart::AsChild,
}

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "warn".into()),
        )
        .with_ansi(anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never)
        .with_writer(std::io::stderr)
        .init();
    std::panic::set_hook(Box::new(|panic| {
        let place = panic
            .location()
            .map(ToString::to_string)
            .unwrap_or_default();
        tracing::warn!("a handler panicked at {place}; this one is meant to");
    }));
    match demo(Args::parse()).await {
        Ok(code) => code,
        Err(error) => {
            anstream::eprintln!("error: {error}");
            let mut source = error.source();
            while let Some(cause) = source {
                anstream::eprintln!("  because: {cause}");
                source = cause.source();
            }
            ExitCode::FAILURE
        }
    }
}

async fn demo(args: Args) -> Result<ExitCode> {
    if let Some((server, spool)) = args.child.asked_for() {
        restart::serve(&args, server, spool).await?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut world = World::start(&args).await?;
    world.introduce(!args.once);
    let mut missing = 0;
    let complete = match world.subscribe() {
        Some(events) if args.once => {
            let complete = once(&world, events).await?;
            match args.outage {
                Some(outage) if args.restart => {
                    heading(
                        "Traffic, while the audit service does not answer and the documents service is killed",
                    );
                    missing = restart::drive(&world, &args, outage).await?;
                    complete
                }
                Some(outage) => {
                    heading("Traffic, in the middle of which the audit service stops answering");
                    outage::drive(&world, outage).await? && complete
                }
                None => complete,
            }
        }
        Some(events) => {
            show(&world, events).await?;
            true
        }
        None => {
            heading("One round of requests");
            round::drive(&world).await?;
            true
        }
    };
    heading("Shutting down");
    let stats = world.stop().await?;
    let lost = stats.lost + stats.refused + unrecorded() + missing;
    anstream::println!(
        "accepted {}, delivered {}, dead {}, lost {lost}",
        stats.accepted,
        stats.delivered,
        stats.dead
    );
    Ok(if complete && lost == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// One round of requests, and then whether exactly their events are in the server's store.
async fn once(world: &World, events: Subscription) -> Result<bool> {
    heading("One round of requests");
    let expected = round::drive(world).await?;
    collect(events, expected.len()).await?;
    // What came on top of the expected would be in the queue now.
    world.flush().await;

    heading("What the server stored, beside what must be there");
    let stored = world.stored()?;
    Ok(expected::compare(&expected, &stored))
}

/// One round of requests, then whatever the user sends, until Ctrl-C.
async fn show(world: &World, events: Subscription) -> Result<()> {
    heading("Events, as the audit log server receives them (Ctrl-C ends)");
    let printer = tokio::task::spawn_blocking(move || {
        while let Some(event) = events.recv() {
            anstream::println!("{}", event_line(&event));
        }
    });
    round::drive(world).await?;
    tokio::select! {
        result = interrupted() => result?,
        _ = printer => {}
    }
    Ok(())
}

/// Waits for as many events as are expected, or until none has come for a while.
async fn collect(events: Subscription, count: usize) -> Result<Vec<StoredEvent>> {
    let wait = move || {
        std::iter::from_fn(|| events.recv_timeout(PATIENCE))
            .take(count)
            .collect()
    };
    Ok(tokio::task::spawn_blocking(wait).await?)
}

/// Ctrl-C or SIGTERM.
async fn interrupted() -> Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            result = tokio::signal::ctrl_c() => result?,
            _ = terminate.recv() => {}
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await?;
    Ok(())
}

//! `cargo demo`: starts a local audit log server and the documents service, sends requests, and
//! prints the received events.
//!
//! `cargo demo -- --once` sends one round of requests, compares the stored events with the expected
//! ones, and exits. With `--outage 30s` the audit service then stops responding during traffic, and
//! with `--restart` the documents service is killed and restarted meanwhile. `cargo demo -- --live
//! --organization org_…` delivers to WorkOS, with the key in `WORKOS_API_KEY`.

mod args;
mod client;
mod common;
mod comparison;
mod environment;
mod expected;
mod framework;
mod grpc;
mod outage;
mod phase;
mod print;
mod restart;
mod round;
mod traffic;

use std::process::ExitCode;

use audit_server::{StoredEvent, Subscription};
use audit_tower::unrecorded;
use clap::Parser;

use crate::args::Args;
use crate::common::{DEADLINE, Result};
use crate::environment::Environment;
use crate::print::{event_line, heading};

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
        tracing::warn!("a handler panicked at {place}, as this demo intends");
    }));
    match demo(Args::parse()).await {
        Ok(code) => code,
        Err(error) => {
            anstream::eprintln!("error: {error}");
            let mut source = error.source();
            while let Some(cause) = source {
                anstream::eprintln!("  caused by: {cause}");
                source = cause.source();
            }
            ExitCode::FAILURE
        }
    }
}

async fn demo(args: Args) -> Result<ExitCode> {
    if let Some((server, spool)) = args.child.requested() {
        restart::serve(&args, server, spool).await?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut environment = Environment::start(&args).await?;
    environment.introduce(!args.once);
    let mut missing = 0;
    let complete = match environment.subscribe() {
        Some(events) if args.once => {
            let complete = once(&environment, events).await?;
            match args.outage {
                Some(outage) if args.restart => {
                    heading(
                        "Traffic while the audit service does not respond and the documents service is killed",
                    );
                    missing = restart::drive(&environment, &args, outage).await?;
                    complete
                }
                Some(outage) => {
                    heading("Traffic while the audit service stops responding");
                    outage::drive(&environment, outage).await? && complete
                }
                None => complete,
            }
        }
        Some(events) => {
            show(&environment, events).await?;
            true
        }
        None => {
            heading("One round of requests");
            round::drive(&environment).await?;
            true
        }
    };
    heading("Shutting down");
    let stats = environment.stop().await?;
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

/// Sends one round of requests. Returns `true` if the server has stored exactly their events.
async fn once(environment: &Environment, events: Subscription) -> Result<bool> {
    heading("One round of requests");
    let expected = round::drive(environment).await?;
    collect(events, expected.len()).await?;
    // Any unexpected event would be in the queue now.
    environment.flush().await;

    heading("Stored events, compared with the expected ones");
    let stored = environment.stored()?;
    Ok(comparison::compare(&expected, &stored))
}

/// Sends one round of requests, then prints events until Ctrl-C.
async fn show(environment: &Environment, events: Subscription) -> Result<()> {
    heading("Events received by the audit log server (Ctrl-C stops)");
    let printer = tokio::task::spawn_blocking(move || {
        while let Some(event) = events.recv() {
            anstream::println!("{}", event_line(&event));
        }
    });
    round::drive(environment).await?;
    tokio::select! {
        result = stop_signal() => result?,
        _ = printer => {}
    }
    Ok(())
}

/// Waits for `count` events, or until none arrives for a while.
async fn collect(events: Subscription, count: usize) -> Result<Vec<StoredEvent>> {
    let wait = move || {
        std::iter::from_fn(|| events.recv_timeout(DEADLINE))
            .take(count)
            .collect()
    };
    Ok(tokio::task::spawn_blocking(wait).await?)
}

/// Waits for Ctrl-C or SIGTERM.
async fn stop_signal() -> Result<()> {
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

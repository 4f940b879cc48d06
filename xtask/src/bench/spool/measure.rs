//! Compares durable events with bare writes, and measures the start with a large backlog.
//!
//! The lower bound of a durable event is a write of the same bytes to a file in the same folder,
//! and a sync. Both are measured in turn, so that other load on the disk affects both. Many tasks
//! at once then show the effect of group commit.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use audit_core::private::spool as inner;
use audit_core::{Actor, Context, Event, Spool, Target};

use crate::bench::latency::{Latencies, ratio};
use crate::error::Error;

const ROUNDS: usize = 10;
/// Events in a round of one task, and of each of many.
const EVENTS: usize = 200;
const TASKS: usize = 64;
/// The number of times that the backlog is opened.
const STARTS: usize = 5;

pub(super) fn measure(folder: &Path, backlog: u32) -> Result<(), Error> {
    let failed = |error: io::Error| Error::Finding(format!("start the measurement: {error}"));
    let folder = tempfile::tempdir_in(folder).map_err(failed)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(failed)?;
    runtime
        .block_on(async {
            appends(folder.path()).await?;
            starts(folder.path(), backlog).await
        })
        .map_err(|error| Error::Finding(error.to_string()))
}

type Measured = Result<(), Box<dyn std::error::Error + Send + Sync>>;

async fn appends(folder: &Path) -> Measured {
    let spool = Spool::open(folder.join("appends.spool"))?;
    let mut file = File::create(folder.join("bare"))?;
    let (mut bare, mut one) = (Latencies::default(), Latencies::default());
    let (mut alone, mut together) = (Duration::ZERO, Duration::ZERO);
    let bytes = inner::packed(&event());
    for _ in 0..ROUNDS {
        let mut writes = Vec::with_capacity(EVENTS);
        for _ in 0..EVENTS {
            let begun = Instant::now();
            file.write_all(&bytes)?;
            file.sync_data()?;
            writes.push(begun.elapsed());
        }
        bare.add(writes);
        let begun = Instant::now();
        one.add(task(&spool).await?);
        alone += begun.elapsed();

        let begun = Instant::now();
        let tasks: Vec<_> = (0..TASKS)
            .map(|_| {
                let spool = spool.clone();
                tokio::spawn(async move { task(&spool).await })
            })
            .collect();
        for task in tasks {
            task.await??;
        }
        together += begun.elapsed();
    }
    spool.close().await;
    let rate = |events: usize, time: Duration| (ROUNDS * events) as f64 / time.as_secs_f64();
    let (alone, together) = (rate(EVENTS, alone), rate(EVENTS * TASKS, together));
    println!("{} bytes an event\n", bytes.len());
    println!("{:<24} {:>10} {:>10} {:>10}", "", "p50", "p99", "max");
    println!("{:<24} {bare}", "bare write and sync");
    println!("{:<24} {one}", "durable event, 1 task");
    println!(
        "{:<24} {:>10.2} {:>10.2}\n",
        "ratio",
        ratio(one.percentile(50), bare.percentile(50)),
        ratio(one.percentile(99), bare.percentile(99))
    );
    println!("{:<24} {alone:>10.0} a second", "1 task");
    println!("{TASKS:<2} {:<21} {together:>10.0} a second", "tasks");
    println!("{:<24} {:>10.1}\n", "ratio", together / alone);
    Ok(())
}

/// Appends one event after the other, and returns the time until each was durable.
async fn task(spool: &Spool) -> Result<Vec<Duration>, audit_core::SpoolError> {
    let mut took = Vec::with_capacity(EVENTS);
    for _ in 0..EVENTS {
        let event = event();
        let begun = Instant::now();
        inner::append(spool, &event).await?;
        took.push(begun.elapsed());
    }
    Ok(took)
}

async fn starts(folder: &Path, backlog: u32) -> Measured {
    let path = folder.join("backlog.spool");
    let builder = Spool::builder(&path).max_bytes(u64::MAX);
    let spool = builder.clone().open()?;
    let event = event();
    for _ in 0..backlog {
        while let Err(error) = inner::enqueue(&spool, &event) {
            if !error.is_full() {
                return Err(error.into());
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    spool.close().await;
    let mut starts = Latencies::default();
    for _ in 0..STARTS {
        let begun = Instant::now();
        let spool = builder.clone().open()?;
        starts.add([begun.elapsed()]);
        let found = spool.status().pending;
        if found != u64::from(backlog) {
            return Err(format!("{found} of {backlog} events are pending").into());
        }
        spool.close().await;
    }
    let bytes = std::fs::metadata(&path)?.len();
    println!(
        "start with {backlog} events in {} MB: {} µs at most",
        bytes / 1_000_000,
        starts.max().as_micros()
    );
    Ok(())
}

/// Returns an event of the usual size.
fn event() -> Event {
    let built =
        Event::builder("document.share")
            .organization("org_01EHWNCE74X7JSDV0X3SZ3KJNY")
            .actor(
                Actor::user("user_01EHZNVPK3SFK441A1RGBFSHRT")
                    .name("Ada Lovelace")
                    .metadata("role", "admin"),
            )
            .target(
                Target::new("document", "0b0c2f6e-8d5a-4f0c-9a0f-3f8d1f6a7c11")
                    .name("Plan for the year"),
            )
            .target(Target::new("user", "user_01EHZNVPK3SFK441A1RGBFSHRU"))
            .metadata("role", "reader")
            .metadata("pages", 3)
            .metadata(
                "request_path",
                "/documents/0b0c2f6e-8d5a-4f0c-9a0f-3f8d1f6a7c11/share",
            )
            .context(Context::new().location("203.0.113.7").user_agent(
                "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            ))
            .build();
    match built {
        Ok(event) => event,
        Err(error) => unreachable!("{error}"),
    }
}

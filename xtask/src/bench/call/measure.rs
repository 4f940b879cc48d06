//! Compares calls and futures of a plain, an audited and an instrumented function.

use std::hint::black_box;
use std::time::{Duration, Instant};

use audit_tower::{Actor, Recorder, audited};

use crate::bench::null_sink::NullSink;
use crate::error::Error;

/// Calls in a batch; batches of the kinds take turns.
const CALLS: u32 = 2_000;
const BATCHES: usize = 101;
/// Large enough that no batch fills the queue.
const CAPACITY: usize = 4 * CALLS as usize;

/// An argument of a kilobyte that lives until the end of the call.
type Large = [u8; 1024];

async fn plain(id: u64, large: Large) -> Result<u64, std::fmt::Error> {
    std::future::ready(()).await;
    Ok(id + u64::from(large[0]))
}

#[audited(action = "document.delete", target = "id")]
async fn with_audited(id: u64, large: Large) -> Result<u64, std::fmt::Error> {
    std::future::ready(()).await;
    Ok(id + u64::from(large[0]))
}

#[tracing::instrument(skip_all, fields(id = %id))]
async fn with_instrument(id: u64, large: Large) -> Result<u64, std::fmt::Error> {
    std::future::ready(()).await;
    Ok(id + u64::from(large[0]))
}

pub(super) fn measure() -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|source| Error::Start {
            command: "a runtime".to_owned(),
            source,
        })?;
    let recorder = Recorder::builder(NullSink)
        .capacity(CAPACITY)
        .fallback_organization("org_1")
        .build()
        .map_err(|error| Error::Finding(error.to_string()))?;
    runtime.block_on(compare(&recorder));
    let stats = runtime.block_on(recorder.shutdown(Duration::from_secs(10)));
    println!(
        "\nevents of the last batches: {} delivered, {} pending",
        stats.delivered, stats.pending
    );
    println!("{:?}", recorder.stats());
    Ok(())
}

async fn compare(recorder: &Recorder) {
    const LARGE: Large = [1; 1024];
    macro_rules! batch {
        ($function:ident) => {{
            let started = Instant::now();
            for id in 0..u64::from(CALLS) {
                let _ = black_box($function(black_box(id), LARGE).await);
            }
            started.elapsed().as_secs_f64() * 1e9 / f64::from(CALLS)
        }};
    }
    let mut times: [Vec<f64>; 5] = Default::default();
    for _ in 0..BATCHES {
        times[0].push(batch!(plain));
        times[1].push(batch!(with_instrument));
        times[2].push(batch!(with_audited));
        let scope = || {
            recorder
                .scope()
                .actor(Actor::user("user_1"))
                .organization("org_1")
        };
        times[3].push(scope().run(async { batch!(with_audited) }).await);
        recorder.flush(Duration::from_secs(10)).await;
        let in_own_scope = |id, large| scope().run(with_audited(id, large));
        times[4].push(batch!(in_own_scope));
        recorder.flush(Duration::from_secs(10)).await;
    }
    println!(
        "one call of an async function, nanoseconds, median of {BATCHES} batches of {CALLS}\n"
    );
    let plain_time = median(&mut times[0]);
    let labels = [
        "plain",
        "#[tracing::instrument], no subscriber",
        "#[audited], no scope and no recorder",
        "#[audited], in a scope: one event",
        "#[audited], in a scope of its own",
    ];
    for (label, times) in labels.iter().zip(&mut times) {
        let time = median(times);
        println!("{label:42} {time:>8.0} {:>+8.0}", time - plain_time);
    }
    println!("\nthe future with an argument of 1,024 bytes, bytes\n");
    let sizes = [
        ("plain", size_of_val(&plain(0, LARGE))),
        (
            "#[tracing::instrument]",
            size_of_val(&with_instrument(0, LARGE)),
        ),
        ("#[audited]", size_of_val(&with_audited(0, LARGE))),
    ];
    for (label, size) in sizes {
        println!("{label:42} {size:>8}");
    }
}

fn median(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

//! The memory bound of a recorder. A separate test binary, because the allocator counts the whole
//! process.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use audit_tower::testing::FaultSink;
use audit_tower::{Event, Recorder};
use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

const MAX_BYTES: usize = 16 * 1024 * 1024;

/// Creates an event of about this size.
fn event(bytes: usize) -> Event {
    let values = bytes / 2_000;
    let mut event = Event::builder("a").organization("org_1");
    for value in 0..values {
        event = event.metadata(&format!("k{value}"), "🔑".repeat(500));
    }
    event
        .metadata("rest", "x".repeat(bytes % 500))
        .build()
        .unwrap()
}

#[tokio::test(start_paused = true)]
async fn fault_03_memory_stays_bounded_in_a_ten_minute_outage() {
    let unavailable = FaultSink::discarding().fail_for(Duration::MAX);
    let builder = Recorder::builder(unavailable)
        .capacity(2_000)
        .max_bytes(MAX_BYTES);
    let recorder = builder.build_in_runtime().unwrap();
    let before = ALLOCATOR.current_usage();
    ALLOCATOR.reset_peak_usage();
    let (mut refused, mut size) = (0, 1);
    for _ in 0..600 {
        for _ in 0..20 {
            // A deterministic sequence of sizes from 1 B to 64 KiB.
            size = (size * 7 + 13) % 65_536 + 1;
            refused += u64::from(recorder.record(event(size)).is_err());
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let stats = recorder.stats();
    assert!(
        refused > 5_000,
        "{refused} refused: the bound was not reached"
    );
    assert!(stats.pending_bytes > 15 * 1024 * 1024, "{stats:?}");
    let peak = ALLOCATOR.peak_usage() - before;
    assert!(peak <= MAX_BYTES + MAX_BYTES / 10, "peak of {peak} bytes");
    assert_eq!(stats.accepted, stats.pending);
}

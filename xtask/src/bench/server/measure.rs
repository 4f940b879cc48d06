//! Measures pages and an export of the local server with a large store.
//!
//! Pages are requested over HTTP, one of each kind in turn, so that other load on the machine
//! affects all of them; a page of one row is the baseline. The export is read to its end, and the
//! process's peak memory is compared with that before it.

use std::time::{Duration, Instant};

use audit_server::{Data, LocalServer};
use reqwest::Client;
use serde_json::{Value, json};

use crate::bench::latency::Latencies;
use crate::error::Error;

/// The goal for a page of any kind, at the 99th percentile.
const PAGE: Duration = Duration::from_millis(50);

/// The goal for the growth of the process during an export of any size: a few pages and buffers.
const GROWTH_KB: u64 = 32 * 1_024;

/// The kinds of pages, with their queries. The seed has 10 organizations and 40 actions.
const PAGES: [(&str, &str); 10] = [
    ("one row", "limit=1&after=MIDDLE"),
    ("newest", "order=desc&limit=100"),
    ("from the middle", "limit=100&after=MIDDLE"),
    (
        "organization",
        "order=desc&limit=100&organization=org_seed_3",
    ),
    ("action", "order=desc&limit=100&action=seed.action_7"),
    (
        "organization, action",
        "limit=100&after=MIDDLE&organization=org_seed_3&action=seed.action_3",
    ),
    ("rejected", "order=desc&limit=100&status=rejected"),
    (
        "accepted, organization",
        "order=desc&limit=100&status=accepted&organization=org_seed_0",
    ),
    (
        "rejected, none fits",
        "limit=100&status=rejected&organization=org_seed_3&action=seed.action_3",
    ),
    (
        "none fits",
        "limit=100&organization=org_seed_3&action=nothing",
    ),
];

pub(super) fn measure(events: u32, requests: u32) -> Result<(), Error> {
    let folder =
        tempfile::tempdir().map_err(|source| Error::file("make", "a temporary folder", source))?;
    let server = LocalServer::builder()
        .data(Data::File(folder.path().join("audit.db")))
        .export_delay(Duration::ZERO)
        .start()
        .map_err(finding)?;
    let begun = Instant::now();
    server.seed_events(events).map_err(finding)?;
    println!("{events} events stored in {:.1?}\n", begun.elapsed());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|source| Error::Start {
            command: "a runtime".to_owned(),
            source,
        })?;
    let mut misses = runtime.block_on(pages(&server, events, requests))?;
    misses.extend(runtime.block_on(export(&server))?);
    if misses.is_empty() {
        println!("\nboth goals hold");
        return Ok(());
    }
    Err(Error::Finding(misses.join("; ")))
}

fn finding(error: impl std::fmt::Display) -> Error {
    Error::Finding(error.to_string())
}

/// Prints the latencies of each kind of page, and returns a sentence for each that misses the goal.
async fn pages(server: &LocalServer, events: u32, requests: u32) -> Result<Vec<String>, Error> {
    let client = Client::new();
    let middle = (events / 2).to_string();
    let mut latencies = PAGES.map(|_| Latencies::default());
    let mut rows = [0; PAGES.len()];
    for _ in 0..requests {
        for (index, (_, query)) in PAGES.iter().enumerate() {
            let query = query.replace("MIDDLE", &middle);
            let url = format!("{}/_local/events?{query}", server.url());
            let begun = Instant::now();
            let response = client.get(url).send().await.map_err(finding)?;
            let body = response.bytes().await.map_err(finding)?;
            latencies[index].add([begun.elapsed()]);
            let list: Value = serde_json::from_slice(&body).map_err(finding)?;
            rows[index] = list["data"].as_array().map_or(0, Vec::len);
        }
    }
    println!(
        "{:<24} {:>5} {:>10} {:>10} {:>10}",
        "page", "rows", "p50", "p99", "max"
    );
    for ((name, _), (rows, latencies)) in PAGES.iter().zip(rows.iter().zip(&latencies)) {
        println!("{name:<24} {rows:>5} {latencies}");
    }
    for ((name, _), rows) in PAGES.iter().zip(rows) {
        if (rows == 0) != name.ends_with("none fits") {
            let finding = format!("the page \"{name}\" has {rows} rows");
            return Err(Error::Finding(finding));
        }
    }
    let misses = PAGES
        .iter()
        .zip(&latencies)
        .filter_map(|((name, _), latencies)| {
            let p99 = latencies.percentile(99);
            (p99 >= PAGE)
                .then(|| format!("the page \"{name}\" took {p99:.1?} at the 99th percentile"))
        });
    Ok(misses.collect())
}

/// Prints the cost of an export of the largest organization, and returns a sentence if it misses
/// the goal.
async fn export(server: &LocalServer) -> Result<Option<String>, Error> {
    let client = Client::new();
    let url = format!("{}/audit_logs/exports", server.url());
    let body = json!({ "organization_id": "org_seed_0", "range_start": "1970-01-01T00:00:00Z", "range_end": "9999-01-01T00:00:00Z" });
    let send = async |request: reqwest::RequestBuilder| -> Result<Value, Error> {
        let request = request.bearer_auth(server.api_key());
        let response = request.send().await.map_err(finding)?;
        let body = response.bytes().await.map_err(finding)?;
        serde_json::from_slice(&body).map_err(finding)
    };
    let post = client.post(&url).header("content-type", "application/json");
    let created = send(post.body(body.to_string())).await?;
    let id = created["id"].as_str().unwrap_or_default();
    let ready = send(client.get(format!("{url}/{id}"))).await?;
    let link = ready["url"].as_str().unwrap_or_default();

    let before = reset_peak();
    let begun = Instant::now();
    let mut response = client.get(link).send().await.map_err(finding)?;
    let (mut bytes, mut lines) = (0, 0);
    while let Some(chunk) = response.chunk().await.map_err(finding)? {
        bytes += chunk.len();
        lines += chunk.iter().filter(|byte| **byte == b'\n').count();
    }
    let took = begun.elapsed();
    println!(
        "\nexport: {} rows, {:.1} MB in {took:.1?}",
        lines.saturating_sub(1),
        bytes as f64 / 1e6,
    );
    if lines < 2 {
        return Ok(Some("the export is empty".to_owned()));
    }
    let Some((before, peak)) = before.zip(memory("VmHWM:")) else {
        println!("memory: unknown on this system, which has no /proc/self/status");
        return Ok(None);
    };
    let growth = peak.saturating_sub(before);
    println!("memory: {before} kB before, {peak} kB at the peak, growth {growth} kB");
    Ok((growth > GROWTH_KB).then(|| format!("the export made the process grow by {growth} kB")))
}

/// Resets the process's peak of memory to its present use, and returns that in kB.
fn reset_peak() -> Option<u64> {
    // 5 resets the peak (man 5 proc). Where that is not allowed, an earlier peak counts as the
    // export's, and the figure is too large.
    if let Err(error) = std::fs::write("/proc/self/clear_refs", "5") {
        println!("the peak of memory could not be reset: {error}");
    }
    memory("VmRSS:")
}

/// Reads a figure of `/proc/self/status`, in kB.
fn memory(name: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_measurement_runs_to_its_end() {
        let outcome = measure(12_000, 2);
        // Times are not asserted here, but every page must have a response, and the export must be
        // read.
        if let Err(Error::Finding(misses)) = outcome {
            assert!(misses.contains("99th percentile"), "{misses}");
        }
    }
}

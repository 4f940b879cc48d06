//! Truncation of a log at each multiple of 512 bytes: a longer log recovers all events of a shorter
//! one, and *never* others.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use audit_core::{MemorySink, Recorder, Spool};

use crate::child::block_on;
use crate::corrupt::log_of;
use crate::error::Error;

const STEP: usize = 512;
const PATIENCE: Duration = Duration::from_secs(10);

/// Prints `whole` and each event of the complete log, and `cuts` with the number of truncations.
/// Fails at the first truncation that recovers wrong events.
pub(crate) fn run(spool: &Path, work: &Path) -> Result<(), Error> {
    let base = fs::read(spool).map_err(Error::io("read the spool"))?;
    let log = fs::read(log_of(spool)).map_err(Error::io("read the log"))?;
    let ends: Vec<_> = (0..log.len()).step_by(STEP).chain([log.len()]).collect();
    let mut before = BTreeSet::new();
    block_on(async {
        for end in &ends {
            let now = events(&base, &log[..*end], work).await;
            let now = now.map_err(|error| Error::Other(format!("cut at {end}: {error}")))?;
            if let Some(missing) = before.difference(&now).next() {
                return Err(Error::Other(format!(
                    "cut at {end}: {missing} is missing, and was recovered from a shorter log"
                )));
            }
            before = now;
        }
        Ok(())
    })??;
    let mut out = std::io::stdout().lock();
    let mut print = |line: String| writeln!(out, "{line}").map_err(Error::io("write a line"));
    for serial in &before {
        print(format!("whole {serial}"))?;
    }
    print(format!("cuts {}", ends.len()))
}

/// Returns the events that a recorder delivers from this file and this log.
async fn events(base: &[u8], log: &[u8], work: &Path) -> Result<BTreeSet<String>, Error> {
    let folder = tempfile::tempdir_in(work).map_err(Error::io("make a folder"))?;
    let path = folder.path().join("cut.spool");
    fs::write(&path, base).map_err(Error::io("copy the spool"))?;
    fs::write(log_of(&path), log).map_err(Error::io("cut the log"))?;
    let sink = MemorySink::new();
    let builder = Recorder::builder(sink.clone()).spool(Spool::open(&path).map_err(Error::other)?);
    let recorder = builder.build().map_err(Error::other)?;
    // A flush does not wait for events of earlier processes.
    let until = tokio::time::Instant::now() + PATIENCE;
    while recorder.stats().spooled > 0 && tokio::time::Instant::now() < until {
        recorder.flush(Duration::from_millis(20)).await;
        tokio::task::yield_now().await;
    }
    let report = recorder.shutdown(PATIENCE).await;
    let stats = recorder.stats();
    if !report.is_complete() || stats.spooled > 0 {
        return Err(Error::Other(format!(
            "some events were not delivered: {stats:?}"
        )));
    }
    let delivered = sink.events();
    let serials: BTreeSet<_> = delivered.iter().flat_map(serial).collect();
    if serials.len() != delivered.len() {
        return Err(Error::Other("an event was delivered twice".to_owned()));
    }
    Ok(serials)
}

fn serial(event: &audit_core::Event) -> Option<String> {
    event.targets().next().map(|target| target.id().to_owned())
}

//! A log that ends too early, at each of its 512 bytes: the more of it is left, the more events
//! there are, and never other ones.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use audit_core::{MemorySink, Recorder, Spool};

use crate::Error;
use crate::child::block_on;
use crate::hurt::log_of;

const STEP: usize = 512;
const PATIENCE: Duration = Duration::from_secs(10);

/// Says `whole` and each event that the uncut log has, and `cuts` with how many there were, or
/// fails at the first cut after which the spool is not what it has to be.
pub(crate) fn run(spool: &Path, work: &Path) -> Result<(), Error> {
    let base = fs::read(spool).map_err(Error::io("read the spool"))?;
    let log = fs::read(log_of(spool)).map_err(Error::io("read the log"))?;
    let ends: Vec<_> = (0..log.len()).step_by(STEP).chain([log.len()]).collect();
    let mut before = BTreeSet::new();
    block_on(async {
        for end in &ends {
            let now = events(&base, &log[..*end], work).await;
            let now = now.map_err(|error| Error::Other(format!("cut at {end}: {error}")))?;
            if let Some(gone) = before.difference(&now).next() {
                return Err(Error::Other(format!(
                    "cut at {end}: {gone} is gone, and was there after a shorter log"
                )));
            }
            before = now;
        }
        Ok(())
    })??;
    let mut out = std::io::stdout().lock();
    let mut say = |line: String| writeln!(out, "{line}").map_err(Error::io("write a line"));
    for serial in &before {
        say(format!("whole {serial}"))?;
    }
    say(format!("cuts {}", ends.len()))
}

/// What a recorder delivers that finds this file and this log.
async fn events(base: &[u8], log: &[u8], work: &Path) -> Result<BTreeSet<String>, Error> {
    let folder = tempfile::tempdir_in(work).map_err(Error::io("make a folder"))?;
    let path = folder.path().join("cut.spool");
    fs::write(&path, base).map_err(Error::io("copy the spool"))?;
    fs::write(log_of(&path), log).map_err(Error::io("cut the log"))?;
    let sink = MemorySink::new();
    let builder = Recorder::builder(sink.clone()).spool(Spool::open(&path).map_err(Error::other)?);
    let recorder = builder.build().map_err(Error::other)?;
    // What earlier processes left is behind no fence of a flush.
    let until = tokio::time::Instant::now() + PATIENCE;
    while recorder.stats().spooled > 0 && tokio::time::Instant::now() < until {
        recorder.flush(Duration::from_millis(20)).await;
        tokio::task::yield_now().await;
    }
    let report = recorder.shutdown(PATIENCE).await;
    let stats = recorder.stats();
    if !report.is_complete() || stats.spooled > 0 {
        return Err(Error::Other(format!("not all was delivered: {stats:?}")));
    }
    let delivered = sink.events();
    let serials: BTreeSet<_> = delivered.iter().flat_map(serial).collect();
    if serials.len() != delivered.len() {
        return Err(Error::Other("an event came twice".to_owned()));
    }
    Ok(serials)
}

fn serial(event: &audit_core::Event) -> Option<String> {
    event.targets().next().map(|target| target.id().to_owned())
}

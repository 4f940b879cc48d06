//! Fault 14: a full disk.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::event::Event;
use crate::spool::handle::Spool;
use crate::spool::tests::{Folder, durable, pending, until};
use crate::telemetry::HealthState;

/// Some kilobytes, so that a small disk is full soon.
fn large(number: usize) -> Event {
    let built = (0..6).fold(Event::builder("document.delete"), |event, key| {
        event.metadata(&format!("note{key}"), "n".repeat(500))
    });
    built.metadata("number", number).build().unwrap()
}

/// Writes until there is no space. Returns the acknowledged events.
async fn fill(spool: &Spool) -> Vec<(i64, Event)> {
    let mut written = Vec::new();
    loop {
        let event = large(written.len());
        match durable(spool, &event).await {
            Ok(row) => written.push((row, event)),
            Err(error) => {
                assert!(error.is_full(), "{error:?}");
                return written;
            }
        }
        assert!(written.len() < 100_000, "the disk never fills");
    }
}

/// Asserts that a full disk degrades the spool, that acknowledgements still free space, and that
/// events are accepted again afterwards.
async fn survives(
    spool: Spool,
    file: &Path,
    mut written: Vec<(i64, Event)>,
    make_space: impl FnOnce(),
) {
    until("it is degraded", || {
        spool.status().state == HealthState::Degraded
    });
    let reason = spool.status().reason.unwrap();
    assert!(reason.contains("disk of the spool is full"), "{reason}");
    let best_effort = large(1_000_000);
    spool.enqueue(&best_effort).unwrap();

    let delivered: Vec<_> = written.drain(..written.len() / 2).collect();
    for (row, event) in &delivered {
        spool.acknowledge(*row, event.id());
    }
    until("delivered events are deleted", || {
        spool.status().pending <= written.len() as u64 + 1
    });
    make_space();
    let after = large(1_000_001);
    loop {
        match durable(&spool, &after).await {
            Ok(row) => break written.push((row, after)),
            Err(error) => assert!(error.is_full(), "{error:?}"),
        }
    }
    until("it is healthy", || {
        spool.status().state == HealthState::Healthy
    });
    until("the queued event is written", || {
        spool.status().waiting == 0
    });
    spool.close().await;

    let spool = Spool::open(file).unwrap();
    let mut expected: Vec<_> = written.into_iter().map(|(_, event)| event).collect();
    expected.push(best_effort);
    assert!(
        pending(&spool).await == expected,
        "exactly the acknowledged events are there"
    );
    assert!(spool.verify().await.unwrap().is_intact());
}

#[tokio::test]
async fn fault_14_database_at_its_page_limit_refuses_deletes_and_recovers() {
    let folder = Folder::new();
    let mut builder = Spool::builder(folder.file());
    builder.max_pages = Some(100);
    let spool = builder.open().unwrap();
    let written = fill(&spool).await;
    assert!(written.len() > 20, "{}", written.len());
    survives(spool, &folder.file(), written, || {}).await;
}

/// A file system of three mebibytes, if this process may mount one.
struct SmallDisk {
    _folder: tempfile::TempDir,
    path: PathBuf,
}

impl SmallDisk {
    fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_owned();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=3m", "tmpfs"])
            .arg(&path)
            .output();
        let is_mounted = mounted.is_ok_and(|output| output.status.success());
        is_mounted.then_some(Self {
            _folder: folder,
            path,
        })
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let unmounted = Command::new("umount")
            .arg("--lazy")
            .arg(&self.path)
            .output();
        assert!(unmounted.is_ok_and(|output| output.status.success()));
    }
}

/// Uses a disk of its own if this process may mount one, and otherwise a page limit.
#[tokio::test]
async fn fault_14_full_disk_refuses_deletes_and_recovers() {
    let Some(disk) = SmallDisk::mount() else {
        let folder = Folder::new();
        let mut builder = Spool::builder(folder.file());
        builder.max_pages = Some(200);
        let spool = builder.open().unwrap();
        let written = fill(&spool).await;
        return survives(spool, &folder.file(), written, || {}).await;
    };
    let file = disk.path.join("audit.spool");
    let spool = Spool::open(&file).unwrap();
    let filler = disk.path.join("other");
    fs::write(&filler, vec![1; 512 * 1024]).unwrap();
    let written = fill(&spool).await;
    assert!(written.len() > 20, "{}", written.len());
    survives(spool, &file, written, || fs::remove_file(&filler).unwrap()).await;
}

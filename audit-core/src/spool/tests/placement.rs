//! Faults 48 and 59: files that are removed, replaced or kept from shrinking while a spool uses
//! them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::event::Event;
use crate::recorder::Recorder;
use crate::sink::MemorySink;
use crate::spool::handle::Spool;
use crate::spool::paths::with_suffix;
use crate::spool::tests::{Folder, durable, event, number_of, pending, until};
use crate::telemetry::HealthState;

const ALL: [&str; 3] = ["", "-wal", "-shm"];

fn remove(file: &Path, suffixes: &[&str]) {
    for suffix in suffixes {
        fs::remove_file(with_suffix(file, suffix)).unwrap();
    }
}

fn numbers(events: &[Event]) -> Vec<String> {
    events.iter().map(number_of).collect()
}

/// Removes or replaces files of a spool with events, and asserts that a durable event is
/// acknowledged afterwards and that a later process finds all of them.
async fn survives(change: impl Fn(&Path)) -> PathBuf {
    let folder = Folder::new();
    let file = folder.file();
    let spool = Spool::open(&file).unwrap();
    let [first, rejected] = [event(0), event(1)];
    let row = durable(&spool, &first).await.unwrap();
    let rejected_row = durable(&spool, &rejected).await.unwrap();
    spool
        .move_to_dead_letters(rejected_row, rejected.id(), "refused".to_owned())
        .unwrap();
    durable(&spool, &event(2)).await.unwrap();
    spool.enqueue(&event(3)).unwrap();
    until("all are written", || spool.status().pending == 3);
    assert_eq!(spool.status().relocated, 0);

    for turn in 1..=2 {
        change(&file);
        durable(&spool, &event(3 + turn)).await.unwrap();
        until("it is counted", || spool.status().relocated == turn as u64);
        let status = spool.status();
        assert_eq!(status.state, HealthState::Unhealthy);
        let reason = status.reason.unwrap();
        assert!(reason.contains("moved to a new file"), "{reason}");
        assert_eq!((status.dead, status.corrupt_rows), (1, 0));
    }
    // A row that was handed out before still names its event.
    spool.acknowledge(row, first.id());
    spool.close().await;

    let spool = Spool::open(&file).unwrap();
    assert_eq!(numbers(&pending(&spool).await), ["2", "4", "5", "3"]);
    let dead_letters = spool.dead_letters(0, 10).await.unwrap();
    assert_eq!(dead_letters[0].event, rejected);
    assert!(spool.verify().await.unwrap().is_intact());
    assert!(durable(&spool, &event(6)).await.unwrap() > rejected_row + 3);
    spool.close().await;
    // The test looks into the folder.
    folder.folder.keep().join("made")
}

#[cfg(unix)]
#[tokio::test]
async fn fault_48_events_of_a_removed_file_are_moved_before_the_next_acknowledgement() {
    fs::remove_dir_all(survives(|file| remove(file, &ALL)).await).unwrap();
    fs::remove_dir_all(survives(|file| remove(file, &[""])).await).unwrap();
    fs::remove_dir_all(survives(|file| remove(file, &["-wal"])).await).unwrap();
    fs::remove_dir_all(survives(|file| remove(file, &["-shm"])).await).unwrap();
    let everything = |file: &Path| fs::remove_dir_all(file.parent().unwrap()).unwrap();
    fs::remove_dir_all(survives(everything).await).unwrap();
    let rename =
        |file: &Path| fs::rename(file, with_suffix(file, &event(0).id().to_string())).unwrap();
    fs::remove_dir_all(survives(rename).await).unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn fault_48_file_that_replaces_a_spool_in_use_is_quarantined_unchanged() {
    // Another spool with an event of its own, then a link to nothing, then no database at all.
    let other = Folder::new();
    let spool = Spool::open(other.file()).unwrap();
    durable(&spool, &event(100)).await.unwrap();
    spool.close().await;
    let content = fs::read(other.file()).unwrap();
    let replace_by = |content: &[u8]| {
        let content = content.to_vec();
        move |file: &Path| {
            let new = with_suffix(file, ".new");
            fs::write(&new, &content).unwrap();
            fs::rename(new, file).unwrap();
        }
    };
    for content in [&content[..], b"", b"text"] {
        let folder = survives(replace_by(content)).await;
        let entries = fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().path());
        let quarantined: Vec<_> = entries
            .filter(|path| path.to_string_lossy().contains(".replaced-"))
            .collect();
        assert_eq!(quarantined.len(), 2, "{quarantined:?}");
        for path in quarantined {
            assert_eq!(fs::read(path).unwrap(), content);
        }
        fs::remove_dir_all(folder).unwrap();
    }
    let link = |file: &Path| {
        fs::remove_file(file).unwrap();
        std::os::unix::fs::symlink("nothing", file).unwrap();
    };
    fs::remove_dir_all(survives(link).await).unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn fault_48_renamed_folder_takes_the_spool_along() {
    let folder = Folder::new();
    let spool = Spool::open(folder.file()).unwrap();
    durable(&spool, &event(1)).await.unwrap();
    let renamed = folder.folder.path().join("renamed");
    fs::rename(folder.file().parent().unwrap(), &renamed).unwrap();
    durable(&spool, &event(2)).await.unwrap();
    assert_eq!(spool.status().relocated, 0);
    spool.close().await;
    let spool = Spool::open(renamed.join("audit.spool")).unwrap();
    assert_eq!(numbers(&pending(&spool).await), ["1", "2"]);
}

#[cfg(unix)]
#[tokio::test]
async fn fault_48_removed_file_is_noticed_without_traffic_and_at_the_end() {
    for waits in [true, false] {
        let folder = Folder::new();
        let spool = Spool::open(folder.file()).unwrap();
        durable(&spool, &event(1)).await.unwrap();
        remove(&folder.file(), &ALL);
        if waits {
            until("it is noticed", || spool.status().relocated == 1);
        }
        spool.close().await;
        let spool = Spool::open(folder.file()).unwrap();
        assert_eq!(numbers(&pending(&spool).await), ["1"], "waits: {waits}");
    }
}

#[cfg(unix)]
#[test]
fn fault_48_no_acknowledged_event_is_lost_when_files_are_removed_during_commits() {
    let folder = Folder::new();
    let file = folder.file();
    let spool = Spool::open(&file).unwrap();
    let is_over = AtomicBool::new(false);
    let acknowledged: Vec<_> = std::thread::scope(|scope| {
        let write = |writer: usize| {
            let (spool, is_over) = (&spool, &is_over);
            move || {
                let mut acknowledged = Vec::new();
                while !is_over.load(Ordering::Relaxed) {
                    let event = event(writer);
                    if pollster::block_on(durable(spool, &event)).is_ok() {
                        acknowledged.push(event.id());
                    }
                }
                acknowledged
            }
        };
        let writers: Vec<_> = (0..4).map(|writer| scope.spawn(write(writer))).collect();
        for turn in 1..=10 {
            // They may be renamed into place while they are removed.
            for suffix in ALL {
                drop(fs::remove_file(with_suffix(&file, suffix)));
            }
            until("it is noticed", || spool.status().relocated >= turn);
        }
        is_over.store(true, Ordering::Relaxed);
        let written = writers.into_iter().map(|writer| writer.join().unwrap());
        written.flatten().collect()
    });
    pollster::block_on(spool.close());
    let spool = Spool::open(&file).unwrap();
    let found: Vec<_> = pollster::block_on(pending(&spool));
    let found: std::collections::HashSet<_> = found.iter().map(Event::id).collect();
    let lost = acknowledged
        .iter()
        .filter(|id| !found.contains(*id))
        .count();
    assert_eq!((lost, acknowledged.is_empty()), (0, false));
    assert_eq!(
        found.len(),
        acknowledged.len(),
        "a refused event is not on disk"
    );
}

#[cfg(unix)]
#[tokio::test]
async fn fault_48_rows_of_a_removed_file_that_is_corrupt_are_salvaged() {
    let folder = Folder::new();
    let spool = Spool::open(folder.file()).unwrap();
    for number in 0..200 {
        durable(&spool, &event(number)).await.unwrap();
    }
    spool.close().await;
    let mut database = fs::read(folder.file()).unwrap();
    let middle = database.len() / 4_096 / 2;
    let page = (middle..)
        .find(|page| database[page * 4_096] == 13)
        .unwrap();
    let header = &database[page * 4_096..];
    let rows = usize::from(u16::from_be_bytes([header[3], header[4]]));
    database[page * 4_096] = 99;
    fs::write(folder.file(), &database).unwrap();
    let spool = Spool::open(folder.file()).unwrap();
    remove(&folder.file(), &ALL);
    durable(&spool, &event(200)).await.unwrap();
    until("it is counted", || spool.status().relocated == 1);
    assert_eq!(spool.status().quarantined.len(), 1);
    let found = pending(&spool).await;
    assert!(
        found.len() >= 201 - rows && rows < 100,
        "{} of {rows}",
        found.len()
    );
    assert_eq!(found.last().map(number_of).as_deref(), Some("200"));
    assert!(spool.verify().await.unwrap().is_intact());
}

/// Removes the folder of a spool, and puts a file there, so that no spool can be created.
fn block(file: &Path) {
    let folder = file.parent().unwrap();
    fs::remove_dir_all(folder).unwrap();
    fs::write(folder, "").unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn fault_48_no_event_is_acknowledged_until_a_new_file_has_the_others() {
    let folder = Folder::new();
    let spool = Spool::open(folder.file()).unwrap();
    durable(&spool, &event(1)).await.unwrap();
    block(&folder.file());
    assert!(durable(&spool, &event(2)).await.is_err());
    until("it is unhealthy", || {
        spool.status().state == HealthState::Unhealthy
    });
    let reason = spool.status().reason.unwrap();
    assert!(
        reason.contains("its file was removed while it was in use"),
        "{reason}"
    );
    assert!(durable(&spool, &event(3)).await.is_err());
    fs::remove_file(folder.file().parent().unwrap()).unwrap();
    until("a new file has it", || spool.status().relocated == 1);
    durable(&spool, &event(4)).await.unwrap();
    spool.close().await;
    let spool = Spool::open(folder.file()).unwrap();
    assert_eq!(numbers(&pending(&spool).await), ["1", "4"]);
}

#[cfg(all(unix, feature = "testing"))]
#[tokio::test]
async fn fault_48_events_that_cannot_be_moved_are_counted_as_lost() {
    let folder = Folder::new();
    let sink = crate::testing::FaultSink::new(MemorySink::new()).hang();
    let spool = Spool::open(folder.file()).unwrap();
    let recorder = Recorder::builder(sink).spool(spool).build().unwrap();
    for number in 0..300 {
        recorder.record_durable(event(number)).await.unwrap();
    }
    block(&folder.file());
    let report = recorder.shutdown(Duration::ZERO).await;
    assert_eq!((report.lost, report.spooled), (300, 0));
    assert_eq!(recorder.stats().lost, 300);
}

#[cfg(unix)]
#[tokio::test]
async fn fault_48_delivered_events_of_a_file_that_cannot_be_moved_are_not_lost() {
    let folder = Folder::new();
    let spool = Spool::open(folder.file()).unwrap();
    let (first, second) = (event(1), event(2));
    let row = durable(&spool, &first).await.unwrap();
    durable(&spool, &second).await.unwrap();
    block(&folder.file());
    assert!(durable(&spool, &event(3)).await.is_err());
    spool.acknowledge(row, first.id());
    assert_eq!(spool.close_and_drain().await, [second]);
}

#[cfg(unix)]
#[tokio::test]
async fn fault_48_recorder_delivers_every_event_of_a_removed_file_once() {
    let folder = Folder::new();
    let sink = MemorySink::new();
    let spool = Spool::open(folder.file()).unwrap();
    let recorder = Recorder::builder(sink.clone()).spool(spool.clone());
    let recorder = recorder.build().unwrap();
    for number in 0..200 {
        if number % 50 == 25 {
            for suffix in ALL {
                drop(fs::remove_file(with_suffix(&folder.file(), suffix)));
            }
        }
        recorder.record_durable(event(number)).await.unwrap();
    }
    let report = recorder.shutdown(Duration::from_secs(60)).await;
    assert_eq!((report.lost, report.spooled), (0, 0));
    let stats = recorder.stats();
    assert_eq!((stats.delivered, stats.lost, stats.spooled), (200, 0, 0));
    assert_eq!(sink.events().len(), 200);
    assert_eq!(spool.status().relocated, 4);
    assert_eq!(recorder.health().state, HealthState::Unhealthy);
}

#[cfg(any(target_os = "linux", target_os = "android"))]
#[tokio::test]
async fn fault_48_file_of_another_owner_is_never_replaced() {
    let folder = Folder::new();
    let spool = Spool::open(folder.file()).unwrap();
    durable(&spool, &event(1)).await.unwrap();
    remove(&folder.file(), &["", "-wal", "-shm", ".lock"]);
    let other = Spool::open(folder.file()).unwrap();
    durable(&other, &event(2)).await.unwrap();
    assert!(durable(&spool, &event(3)).await.is_err());
    let reason = spool.status().reason.unwrap();
    assert!(reason.contains("has it open"), "{reason}");
    durable(&other, &event(4)).await.unwrap();
    assert_eq!(other.status().relocated, 0);
    other.close().await;
    // The rest is the first one's again, and what the other left is kept.
    until("the path is free", || spool.status().relocated == 1);
    assert_eq!(spool.status().quarantined.len(), 1);
    let kept = Spool::open(&spool.status().quarantined[0]).unwrap();
    assert_eq!(numbers(&pending(&kept).await), ["2", "4"]);
    durable(&spool, &event(5)).await.unwrap();
    assert_eq!(numbers(&pending(&spool).await), ["1", "5"]);
}

#[tokio::test]
async fn fault_59_wal_that_a_reader_keeps_growing_degrades_the_spool() {
    let folder = Folder::new();
    let mut builder = Spool::builder(folder.file());
    builder.max_wal_bytes = Some(16 * 1024 * 1024);
    let spool = builder.open().unwrap();
    durable(&spool, &event(0)).await.unwrap();
    let mut reader = rusqlite::Connection::open(folder.file()).unwrap();
    let transaction = reader.transaction().unwrap();
    let count = "SELECT count(*) FROM pending";
    let _: i64 = transaction.query_row(count, [], |row| row.get(0)).unwrap();
    let mut number = 0;
    while spool.status().state == HealthState::Healthy {
        number += 1;
        assert!(number < 20_000, "never degraded");
        durable(&spool, &event(number)).await.unwrap();
    }
    let status = spool.status();
    assert_eq!(status.state, HealthState::Degraded);
    assert!(status.wal_bytes > 16 * 1024 * 1024);
    let reason = status.reason.unwrap();
    assert!(
        reason.contains("another program reads the spool"),
        "{reason}"
    );
    transaction.commit().unwrap();
    until("it is healthy", || {
        spool.status().state == HealthState::Healthy
    });
}

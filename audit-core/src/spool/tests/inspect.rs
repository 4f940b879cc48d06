//! Commands on a file that a service may be using.

use std::time::{Duration, Instant};

use crate::event::Event;
use crate::recorder::Recorder;
use crate::sink::MemorySink;
use crate::spool::handle::Spool;
use crate::spool::inspect::{SpoolFile, SpoolRedrive};
use crate::spool::ownership::retry_lock;
use crate::spool::paths::with_suffix;
use crate::spool::tests::{Folder, durable, event, pending, until};

/// Creates a spool with a durable event, a best-effort event and three dead letters.
async fn filled(folder: &Folder) -> (Spool, [Event; 2]) {
    let spool = Spool::open(folder.file()).unwrap();
    let kept = [event(1), event(2)];
    durable(&spool, &kept[0]).await.unwrap();
    spool.enqueue(&kept[1]).unwrap();
    for number in 3..6 {
        let refused = event(number);
        let row = durable(&spool, &refused).await.unwrap();
        let fault = format!("refused {number}");
        spool
            .move_to_dead_letters(row, refused.id(), fault)
            .unwrap();
    }
    until("all are written", || {
        (spool.status().pending, spool.status().dead) == (2, 3)
    });
    (spool, kept)
}

#[tokio::test]
async fn status_is_read_while_a_service_has_the_file_and_afterwards() {
    let folder = Folder::new();
    let (spool, kept) = filled(&folder).await;
    let file = SpoolFile::open(folder.file()).unwrap();
    let used = file.status().unwrap();
    assert!(used.in_use);
    assert_eq!(
        (used.layout, used.durable, used.best_effort, used.dead),
        (1, 1, 1, 3)
    );
    assert_eq!(used.oldest, Some(kept[0].occurred_at()));
    assert_eq!(used.pending_bytes, spool.status().pending_bytes);
    spool.close().await;
    let left = file.status().unwrap();
    assert!(!left.in_use);
    assert_eq!((left.durable, left.best_effort, left.dead), (1, 1, 3));
}

#[tokio::test]
async fn dead_letters_are_read_and_the_file_verified_beside_the_service() {
    let folder = Folder::new();
    let (spool, _) = filled(&folder).await;
    let file = SpoolFile::open(folder.file()).unwrap();
    let seen = file.dead_letters(0, 2).unwrap();
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[0].fault, "refused 3");
    let rest = file.dead_letters(seen[1].row, 100).unwrap();
    assert_eq!(rest[0].fault, "refused 5");
    let check = file.verify().unwrap();
    assert!(check.is_intact() && check.events == 5, "{check:?}");
    // The service continues.
    durable(&spool, &event(9)).await.unwrap();
    assert_eq!(pending(&spool).await.len(), 3);
}

#[test]
fn testing_the_lock_keeps_no_service_out() {
    let folder = Folder::new();
    drop(Spool::open(folder.file()).unwrap());
    let lock = std::fs::File::open(with_suffix(&folder.file(), ".lock")).unwrap();
    let look = std::fs::File::open(with_suffix(&folder.file(), ".lock")).unwrap();
    until("it is free", || look.try_lock_shared().is_ok());
    let mut tries = 0;
    let taken = retry_lock(Instant::now(), || {
        tries += 1;
        if tries == 3 {
            look.unlock().unwrap();
        }
        lock.try_lock()
    });
    assert!(taken.is_ok() && tries == 3);
}

#[test]
fn unusable_file_is_refused_and_unchanged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.spool");
    assert!(SpoolFile::open(&path).is_err() && !path.exists());
    std::fs::write(&path, "").unwrap();
    let error = SpoolFile::open(&path).unwrap_err();
    assert!(error.to_string().contains("is empty"), "{error}");

    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("CREATE TABLE mine (id)").unwrap();
    assert!(SpoolFile::open(&path).unwrap_err().is_foreign());
    drop(other);

    std::fs::remove_file(&path).unwrap();
    let spool = Spool::open(&path).unwrap();
    pollster::block_on(spool.close());
    let newer = rusqlite::Connection::open(&path).unwrap();
    newer.execute_batch("CREATE TABLE more (x)").unwrap();
    newer.pragma_update(None, "user_version", 7).unwrap();
    let error = SpoolFile::open(&path).unwrap_err();
    assert!(error.to_string().contains("layout 7"), "{error}");
    // The file beside it has no lock of its own, and is in use by the lock of the newer one.
    let spool = Spool::open(&path).unwrap();
    let beside = SpoolFile::open(folder.path().join("audit.spool.v1")).unwrap();
    assert!(beside.status().unwrap().in_use);
    drop(spool);
}

#[tokio::test]
async fn purge_beside_the_service_updates_its_counts() {
    let folder = Folder::new();
    let (spool, kept) = filled(&folder).await;
    let file = SpoolFile::open(folder.file()).unwrap();
    let dead_letters = file.dead_letters(0, 10).unwrap();
    assert_eq!(file.purge(&[dead_letters[1].row, 99]).unwrap(), 1);
    assert_eq!(file.status().unwrap().dead, 2);
    let later = event(9);
    durable(&spool, &later).await.unwrap();
    until("the service has counted", || spool.status().dead == 2);

    assert_eq!(file.purge_all().unwrap(), 2);
    let status = file.status().unwrap();
    assert_eq!((status.dead, status.dead_bytes, status.durable), (0, 0, 2));
    spool.close().await;
    let spool = Spool::open(folder.file()).unwrap();
    assert_eq!(spool.status().dead, 0);
    let [durable, best_effort] = kept;
    assert_eq!(pending(&spool).await, [durable, later, best_effort]);
}

#[tokio::test]
async fn redriven_events_wait_for_the_next_service_and_never_bypass_a_running_one() {
    let redriven = |dead_letters, is_requested| SpoolRedrive {
        dead_letters,
        is_requested,
    };
    let folder = Folder::new();
    let (spool, kept) = filled(&folder).await;
    let file = SpoolFile::open(folder.file()).unwrap();
    let dead_letters = file.dead_letters(0, 10).unwrap();
    // This spool has no recorder, so the request stays.
    let asked = file.redrive(&[dead_letters[0].row, 99]).unwrap();
    assert_eq!(asked, redriven(1, true));
    durable(&spool, &event(9)).await.unwrap();
    assert_eq!(file.status().unwrap().dead, 3);
    spool.close().await;

    let done = file.redrive(&[dead_letters[0].row, 99]).unwrap();
    assert_eq!(done, redriven(1, false));
    assert_eq!(file.redrive_all().unwrap(), redriven(2, false));
    let status = file.status().unwrap();
    assert_eq!((status.durable, status.best_effort, status.dead), (2, 4, 0));
    let spool = Spool::open(folder.file()).unwrap();
    assert_eq!(spool.status().recovered, 6);
    let events = dead_letters
        .into_iter()
        .map(|dead_letter| dead_letter.event);
    let expected: Vec<_> = kept.into_iter().chain(events).collect();
    let mut found = pending(&spool).await;
    found.retain(|event| super::number_of(event) != "9");
    assert_eq!(found, expected);
}

#[tokio::test]
async fn requested_redrive_is_delivered_by_the_running_service() {
    let folder = Folder::new();
    let (spool, _) = filled(&folder).await;
    spool.close().await;
    let sink = MemorySink::new();
    let spool = Spool::open(folder.file()).unwrap();
    let recorder = Recorder::builder(sink.clone()).spool(spool);
    let recorder = recorder.build().unwrap();
    let file = SpoolFile::open(folder.file()).unwrap();
    let first = file.dead_letters(0, 10).unwrap()[0].row;
    let is_there = |number: &str| {
        let events = sink.events();
        events.iter().any(|event| super::number_of(event) == number)
    };

    assert!(file.redrive(&[first]).unwrap().is_requested);
    until("the one is delivered", || is_there("3"));
    assert_eq!((is_there("4"), is_there("5")), (false, false));
    assert_eq!(file.redrive_all().unwrap().dead_letters, 2);
    until("the others are delivered", || {
        is_there("4") && is_there("5")
    });
    recorder.flush(Duration::from_secs(60)).await;
    let stats = recorder.stats();
    assert_eq!((stats.recovered, stats.delivered, stats.spooled), (5, 5, 0));
    recorder.shutdown(Duration::from_secs(60)).await;
    let status = file.status().unwrap();
    assert_eq!((status.dead, status.best_effort), (0, 0));
}

#[tokio::test]
async fn redrive_and_purge_span_several_transactions() {
    let folder = Folder::new();
    let spool = Spool::open(folder.file()).unwrap();
    for number in 0..600 {
        spool
            .add_dead_letter(&event(number), String::new())
            .unwrap();
    }
    spool.close().await;
    let file = SpoolFile::open(folder.file()).unwrap();
    let first: Vec<_> = (1..=300).collect();
    assert_eq!(file.redrive(&first).unwrap().dead_letters, 300);
    assert_eq!(file.purge_all().unwrap(), 300);
    let status = file.status().unwrap();
    assert_eq!((status.best_effort, status.dead), (300, 0));
}

#[tokio::test]
async fn file_that_is_being_rebuilt_is_not_changed() {
    let folder = Folder::new();
    let (_spool, _) = filled(&folder).await;
    let file = SpoolFile::open(folder.file()).unwrap();
    std::fs::write(with_suffix(&folder.file(), ".rebuilding"), "").unwrap();
    let error = file.purge_all().unwrap_err();
    assert!(error.to_string().contains("is corrupt"), "{error}");
    assert_eq!(file.status().unwrap().dead, 3);
}

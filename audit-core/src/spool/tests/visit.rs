//! A visitor to a file that a service may be using.

use super::{Folder, durable, event, pending, until};
use crate::{Event, Spool, SpoolFile};

/// A spool with a durable event, one of best effort and three dead letters.
async fn filled(folder: &Folder) -> (Spool, [Event; 2]) {
    let spool = Spool::open(folder.file()).unwrap();
    let kept = [event(1), event(2)];
    durable(&spool, &kept[0]).await.unwrap();
    spool.enqueue(&kept[1]).unwrap();
    for number in 3..6 {
        let row = durable(&spool, &event(number)).await.unwrap();
        spool.bury(row, format!("refused {number}")).unwrap();
    }
    until("all are written", || {
        (spool.status().pending, spool.status().dead) == (2, 3)
    });
    (spool, kept)
}

#[tokio::test]
async fn what_stands_in_the_file_is_told_while_a_service_has_it_and_afterwards() {
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
async fn letters_are_read_and_the_file_checked_beside_the_service() {
    let folder = Folder::new();
    let (spool, _) = filled(&folder).await;
    let file = SpoolFile::open(folder.file()).unwrap();
    let seen = file.dead_letters(0, 2).unwrap();
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[0].fault, "refused 3");
    let rest = file.dead_letters(seen[1].row, 100).unwrap();
    assert_eq!(rest[0].fault, "refused 5");
    let check = file.verify().unwrap();
    assert!(check.is_whole() && check.events == 5, "{check:?}");
    // The service goes on.
    durable(&spool, &event(9)).await.unwrap();
    assert_eq!(pending(&spool).await.len(), 3);
}

#[test]
fn a_visitor_who_looks_at_the_lock_keeps_no_service_out() {
    let folder = Folder::new();
    drop(Spool::open(folder.file()).unwrap());
    let file = SpoolFile::open(folder.file()).unwrap();
    until("it is free", || !file.status().unwrap().in_use);
    let lock = super::super::place::with_suffix(&folder.file(), ".lock");
    let look = std::fs::File::open(lock).unwrap();
    look.try_lock_shared().unwrap();
    let opening = std::thread::spawn(move || Spool::open(folder.file()).map(|_| folder));
    // What a look takes, and more.
    std::thread::yield_now();
    drop(look);
    opening.join().unwrap().unwrap();
}

#[test]
fn a_file_that_is_no_spool_of_this_version_is_refused_and_stays() {
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
    newer.pragma_update(None, "user_version", 7).unwrap();
    let error = SpoolFile::open(&path).unwrap_err();
    assert!(error.to_string().contains("layout 7"), "{error}");
    // What is used beside it is found in use by the other's lock.
    let spool = Spool::open(&path).unwrap();
    let beside = SpoolFile::open(folder.path().join("audit.spool.v1")).unwrap();
    assert!(beside.status().unwrap().in_use);
    drop(spool);
}

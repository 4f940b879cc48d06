//! Dead letters.

use crate::spool::handle::Spool;
use crate::spool::tests::{Folder, durable, event, pending, until};

#[tokio::test]
async fn dead_letters_outlive_the_process_and_can_be_redriven_or_purged() {
    let folder = Folder::new();
    let spool = Spool::open(folder.file()).unwrap();
    let (refused, unwritten) = (event(1), event(2));
    let row = durable(&spool, &refused).await.unwrap();
    let id = refused.id();
    spool
        .move_to_dead_letters(row, id, "no such action".to_owned())
        .unwrap();
    spool
        .move_to_dead_letters(row, id, "a second time".to_owned())
        .unwrap();
    spool
        .add_dead_letter(&unwritten, "ä".repeat(3_000))
        .unwrap();
    spool.close().await;

    let spool = Spool::open(folder.file()).unwrap();
    let dead_letters = spool.dead_letters(0, 10).await.unwrap();
    assert_eq!(dead_letters.len(), 2);
    assert_eq!(dead_letters[0].event, refused);
    assert_eq!(dead_letters[0].fault, "no such action");
    assert_eq!(
        (&dead_letters[1].event, dead_letters[1].fault.len()),
        (&unwritten, 4_096)
    );
    assert!(dead_letters[0].rejected_at > crate::event::from_millis(1_700_000_000_000));
    assert_eq!((spool.status().pending, spool.status().dead), (0, 2));
    assert_eq!(
        spool
            .dead_letters(dead_letters[0].row, 10)
            .await
            .unwrap()
            .len(),
        1
    );

    assert_eq!(
        spool
            .redrive(vec![dead_letters[0].row, 99], |_| {})
            .await
            .unwrap(),
        1
    );
    assert_eq!(pending(&spool).await, [refused]);
    assert_eq!(
        spool
            .purge(vec![dead_letters[1].row, dead_letters[0].row])
            .await
            .unwrap(),
        1
    );
    until("the counts are published", || {
        spool.status().dead == 0 && spool.status().pending == 1
    });
    assert_eq!(spool.status().dead_bytes, 0);
}

#[tokio::test]
async fn oldest_dead_letter_is_dropped_beyond_the_limit_and_counted() {
    let folder = Folder::new();
    let size = event(1).to_packed().len() as u64 + crate::spool::totals::ROW_BYTES;
    let spool = Spool::builder(folder.file())
        .max_bytes(4 * 3 * size)
        .open()
        .unwrap();
    for number in 1..=5 {
        spool
            .add_dead_letter(&event(number), String::new())
            .unwrap();
    }
    spool.close().await;
    let status = spool.status();
    assert_eq!(
        (status.dead, status.dead_dropped, status.dead_bytes),
        (3, 2, 3 * size)
    );
    let spool = Spool::open(folder.file()).unwrap();
    let dead_letters = spool.dead_letters(0, 10).await.unwrap();
    let numbers: Vec<_> = dead_letters
        .iter()
        .map(|dead_letter| super::number_of(&dead_letter.event))
        .collect();
    assert_eq!(numbers, ["3", "4", "5"]);
}

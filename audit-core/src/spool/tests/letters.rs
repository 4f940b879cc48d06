//! Dead letters.

use crate::spool::handle::Spool;
use crate::spool::tests::{Folder, durable, event, pending, until};

#[tokio::test]
async fn letters_outlive_the_process_and_can_be_sent_again_or_forgotten() {
    let folder = Folder::new();
    let spool = Spool::open(folder.file()).unwrap();
    let (refused, unwritten) = (event(1), event(2));
    let row = durable(&spool, &refused).await.unwrap();
    let id = refused.id();
    spool.bury(row, id, "no such action".to_owned()).unwrap();
    spool.bury(row, id, "a second time".to_owned()).unwrap();
    spool.bury_event(&unwritten, "ä".repeat(3_000)).unwrap();
    spool.close().await;

    let spool = Spool::open(folder.file()).unwrap();
    let letters = spool.dead_letters(0, 10).await.unwrap();
    assert_eq!(letters.len(), 2);
    assert_eq!(letters[0].event, refused);
    assert_eq!(letters[0].fault, "no such action");
    assert_eq!(
        (&letters[1].event, letters[1].fault.len()),
        (&unwritten, 4_096)
    );
    assert!(letters[0].buried_at > crate::event::from_millis(1_700_000_000_000));
    assert_eq!((spool.status().pending, spool.status().dead), (0, 2));
    assert_eq!(
        spool.dead_letters(letters[0].row, 10).await.unwrap().len(),
        1
    );

    assert_eq!(
        spool
            .redrive(vec![letters[0].row, 99], |_| {})
            .await
            .unwrap(),
        1
    );
    assert_eq!(pending(&spool).await, [refused]);
    assert_eq!(
        spool
            .purge(vec![letters[1].row, letters[0].row])
            .await
            .unwrap(),
        1
    );
    until("the counts are told", || {
        spool.status().dead == 0 && spool.status().pending == 1
    });
    assert_eq!(spool.status().dead_bytes, 0);
}

#[tokio::test]
async fn beyond_their_share_the_oldest_letter_makes_room_and_is_counted() {
    let folder = Folder::new();
    let size = event(1).to_packed().len() as u64 + crate::spool::totals::ROW_BYTES;
    let spool = Spool::builder(folder.file())
        .max_bytes(4 * 3 * size)
        .open()
        .unwrap();
    for number in 1..=5 {
        spool.bury_event(&event(number), String::new()).unwrap();
    }
    spool.close().await;
    let status = spool.status();
    assert_eq!(
        (status.dead, status.dead_dropped, status.dead_bytes),
        (3, 2, 3 * size)
    );
    let spool = Spool::open(folder.file()).unwrap();
    let letters = spool.dead_letters(0, 10).await.unwrap();
    let numbers: Vec<_> = letters
        .iter()
        .map(|letter| super::number_of(&letter.event))
        .collect();
    assert_eq!(numbers, ["3", "4", "5"]);
}

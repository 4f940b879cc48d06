//! Fault 40: a large backlog.

use std::fs;

use rusqlite::Connection;

use crate::spool::handle::Spool;
use crate::spool::rows::Guarantee;
use crate::spool::tests::{Folder, event, until};

const EVENTS: u64 = 20_000;

#[tokio::test]
async fn fault_40_opening_reads_only_the_totals_and_the_backlog_is_paged() {
    let folder = Folder::new();
    let spool = Spool::open(folder.file()).unwrap();
    let event = event(1);
    for _ in 0..EVENTS {
        until("there is room", || spool.enqueue(&event).is_ok());
    }
    spool.close().await;

    // A wrong total and unreadable pages, which reading the rows would reveal.
    let direct = Connection::open(folder.file()).unwrap();
    direct.execute("UPDATE totals SET pending = 7", []).unwrap();
    drop(direct);
    let whole = fs::read(folder.file()).unwrap();
    let mut corrupt = whole.clone();
    let (from, to) = (whole.len() / 4 / 4_096 * 4_096, whole.len() / 4 * 3);
    corrupt[from..to].fill(0);
    fs::write(folder.file(), corrupt).unwrap();
    let spool = Spool::open(folder.file()).unwrap();
    let status = spool.status();
    assert_eq!((status.recovered, status.quarantined.len()), (7, 0));
    spool.close().await;

    fs::write(folder.file(), whole).unwrap();
    let spool = Spool::open(folder.file()).unwrap();
    let (mut after, mut read) = (0, 0);
    loop {
        let page = spool
            .load(Guarantee::BestEffort, after, 10_000)
            .await
            .unwrap();
        after = page.after;
        read += page.events.len() as u64;
        let bytes: usize = page.events.iter().map(|spooled| spooled.event.size()).sum();
        assert!(bytes < 1024 * 1024 + 4_096, "a page of {bytes} bytes");
        if page.is_last {
            break;
        }
    }
    assert_eq!(read, EVENTS);
}

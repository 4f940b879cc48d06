//! Fault 13: the content of the disk after a loss of power.

use std::collections::HashSet;
use std::fs;

use crate::event::EventId;
use crate::spool::handle::Spool;
use crate::spool::paths::with_suffix;
use crate::spool::rows::Guarantee;
use crate::spool::store::Store;
use crate::spool::tests::{Folder, durable, event};

/// The unit in which the disk may have stopped writing.
const SECTOR: usize = 512;

#[tokio::test]
async fn fault_13_every_prefix_of_the_wal_has_the_events_acknowledged_in_it() {
    let folder = Folder::new();
    let spool = Spool::open(folder.file()).unwrap();
    let log = with_suffix(&folder.file(), "-wal");
    // Each with the length of the WAL when it was acknowledged.
    let mut acknowledged: Vec<(EventId, usize)> = Vec::new();
    for round in 0..8 {
        let events: Vec<_> = (0..3).map(|number| event(round * 3 + number)).collect();
        let written =
            futures_util::future::join_all(events.iter().map(|event| durable(&spool, event))).await;
        assert!(written.iter().all(Result::is_ok));
        let length = fs::metadata(&log).unwrap().len() as usize;
        acknowledged.extend(events.iter().map(|event| (event.id(), length)));
    }
    let (database, log) = (fs::read(folder.file()).unwrap(), fs::read(&log).unwrap());
    spool.close().await;
    assert!(
        acknowledged[0].1 < acknowledged[23].1,
        "the WAL grew with the events"
    );

    let after = Folder::new();
    fs::create_dir_all(after.file().parent().unwrap()).unwrap();
    for cut in (0..=log.len()).step_by(SECTOR).chain([log.len()]) {
        fs::write(after.file(), &database).unwrap();
        fs::write(with_suffix(&after.file(), "-wal"), &log[..cut]).unwrap();
        let mut store = Store::open(&after.file())
            .unwrap()
            .into_store(&after.file())
            .unwrap();
        let found: HashSet<_> = store
            .load(Guarantee::Durable, 0, 100)
            .unwrap()
            .events
            .iter()
            .map(|spooled| spooled.event.id())
            .collect();
        for (id, length) in &acknowledged {
            assert!(
                *length > cut || found.contains(id),
                "cut at {cut}: {id}, of {length}, is lost"
            );
        }
        assert_eq!(store.totals().unwrap().pending, found.len() as u64);
        drop(store);
        fs::remove_file(after.file()).unwrap();
    }
}

//! Fault 16: corrupt files.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::event::{Event, EventId};
use crate::recorder::Recorder;
use crate::sink::MemorySink;
use crate::spool::handle::Spool;
use crate::spool::paths::with_suffix;
use crate::spool::tests::{Folder, durable, event, pending, reserve_beside};

const ROUNDS: u64 = 1_000;
const PAGE: usize = 4_096;
const PATIENCE: Duration = Duration::from_secs(60);

/// A spool as a crash leaves it: some events in the main file, some in the WAL.
struct CrashedSpool {
    database: Vec<u8>,
    wal: Vec<u8>,
    events: HashMap<EventId, Event>,
}

impl CrashedSpool {
    async fn new(in_main: usize, in_wal: usize) -> Self {
        let folder = Folder::new();
        let mut events = HashMap::new();
        for (count, first) in [(in_main, 0), (in_wal, in_main)] {
            let spool = Spool::open(folder.file()).unwrap();
            for number in first..first + count {
                let event = event(number);
                let row = durable(&spool, &event).await.unwrap();
                if number % 5 == 0 {
                    spool.acknowledge(row, event.id());
                }
                events.insert(event.id(), event);
            }
            // Written after the acknowledgements, so they are in the file as well.
            let refused = event(first + 9_000);
            let row = durable(&spool, &refused).await.unwrap();
            spool
                .move_to_dead_letters(row, refused.id(), "refused".to_owned())
                .unwrap();
            if first == 0 {
                spool.close().await;
                continue;
            }
            let database = fs::read(folder.file()).unwrap();
            let wal = fs::read(with_suffix(&folder.file(), "-wal")).unwrap();
            spool.close().await;
            return Self {
                database,
                wal,
                events,
            };
        }
        unreachable!("the second iteration returns")
    }

    fn write(&self, file: &Path) {
        reserve_beside(file);
        fs::write(file, &self.database).unwrap();
        fs::write(with_suffix(file, "-wal"), &self.wal).unwrap();
    }
}

fn corrupt(bytes: &mut Vec<u8>, random: &mut fastrand::Rng) {
    if bytes.is_empty() {
        return;
    }
    match random.u8(0..4) {
        0 => bytes.truncate(random.usize(0..bytes.len())),
        1 => {
            let start = random.usize(0..bytes.len());
            let end = bytes.len().min(start + random.usize(1..2 * PAGE));
            bytes[start..end].fill(0);
        }
        // The header of a file is small, and most depends on it.
        2 => {
            let at = random.usize(0..bytes.len().min(128));
            bytes[at] ^= 1 << random.u8(0..8);
        }
        _ => {
            for _ in 0..random.usize(1..20) {
                let at = random.usize(0..bytes.len());
                bytes[at] ^= 1 << random.u8(0..8);
            }
        }
    }
}

#[tokio::test]
async fn fault_16_any_corruption_opens_and_yields_no_wrong_event() {
    let left = CrashedSpool::new(40, 20).await;
    let mut random = fastrand::Rng::with_seed(16);
    for round in 0..ROUNDS {
        let folder = Folder::new();
        let mut copy = CrashedSpool {
            database: left.database.clone(),
            wal: left.wal.clone(),
            events: HashMap::new(),
        };
        match random.u8(0..3) {
            0 => corrupt(&mut copy.database, &mut random),
            1 => corrupt(&mut copy.wal, &mut random),
            _ => {
                corrupt(&mut copy.database, &mut random);
                corrupt(&mut copy.wal, &mut random);
            }
        }
        copy.write(&folder.file());

        let spool =
            Spool::open(folder.file()).unwrap_or_else(|error| panic!("round {round}: {error:?}"));
        for event in pending(&spool).await {
            let number = super::number_of(&event);
            let known = left.events.get(&event.id());
            assert!(
                known == Some(&event) || number.parse::<usize>().unwrap() >= 9_000,
                "round {round}: a wrong event"
            );
        }
        spool.dead_letters(0, 10).await.unwrap();
        let new = event(7_000);
        durable(&spool, &new)
            .await
            .unwrap_or_else(|error| panic!("round {round}: {error:?}"));
        spool.close().await;
        let spool =
            Spool::open(folder.file()).unwrap_or_else(|error| panic!("round {round}: {error:?}"));
        assert!(pending(&spool).await.contains(&new), "round {round}");
        spool.close().await;
    }
}

#[tokio::test]
async fn fault_16_corrupt_page_loses_only_its_rows_and_the_file_is_quarantined() {
    let left = CrashedSpool::new(400, 1).await;
    let folder = Folder::new();
    left.write(&folder.file());
    let mut database = left.database.clone();
    // A page of rows, away from the ends, which gets an invalid page type.
    let page = (database.len() / PAGE / 2..)
        .find(|page| database[page * PAGE] == 13)
        .unwrap();
    let rows = usize::from(u16::from_be_bytes([
        database[page * PAGE + 3],
        database[page * PAGE + 4],
    ]));
    database[page * PAGE] = 99;
    fs::write(folder.file(), &database).unwrap();

    let spool = Spool::open(folder.file()).unwrap();
    let before = spool.status().recovered;
    let found = pending(&spool).await;
    assert_eq!(
        found.len() as u64 + rows as u64,
        before,
        "{rows} rows were on the page"
    );
    let new = event(1);
    let row = durable(&spool, &new).await.unwrap();
    assert!(row > 401, "row ids continue");
    let status = spool.status();
    assert_eq!(status.quarantined.len(), 1);
    let quarantined = &status.quarantined[0];
    assert!(quarantined.display().to_string().contains(".corrupt-"));
    assert_eq!(fs::read(quarantined).unwrap().len(), database.len());
    assert!(spool.verify().await.unwrap().is_intact());
}

#[tokio::test]
async fn fault_16_flipped_bit_loses_only_its_event_and_is_counted() {
    let left = CrashedSpool::new(400, 1).await;
    let folder = Folder::new();
    left.write(&folder.file());
    let mut database = left.database.clone();
    // One that was not delivered.
    let victim = left
        .events
        .values()
        .find(|event| super::number_of(event) == "7")
        .unwrap();
    let id = victim.id();
    // Also in the page that held the row before it moved to another.
    let places: Vec<_> = (0..database.len() - 16)
        .filter(|at| database[*at..at + 16] == *id.as_bytes())
        .collect();
    for at in places {
        database[at] ^= 1;
    }
    fs::write(folder.file(), &database).unwrap();

    let spool = Spool::open(folder.file()).unwrap();
    let before = spool.status().recovered;
    assert!(!spool.verify().await.unwrap().is_intact());
    let found = pending(&spool).await;
    assert_eq!(found.len() as u64, before - 1);
    assert!(!found.iter().any(|event| super::number_of(event) == "7"));
    super::until("it is counted", || {
        let status = spool.status();
        (status.pending, status.corrupt_rows) == (before - 1, 1)
    });
}

/// A file of 130 durable events; the id of the event in row `n` is `ids[n - 1]`.
pub(crate) struct RenumberedFile {
    database: Vec<u8>,
    ids: Vec<EventId>,
}

impl RenumberedFile {
    pub(crate) async fn new() -> Self {
        let folder = Folder::new();
        let spool = Spool::open(folder.file()).unwrap();
        let mut ids = Vec::new();
        for number in 0..130 {
            let event = event(number);
            durable(&spool, &event).await.unwrap();
            ids.push(event.id());
        }
        spool.close().await;
        let database = fs::read(folder.file()).unwrap();
        Self { database, ids }
    }

    /// Writes the file with a row id replaced by another; both are below 128.
    pub(crate) fn write(&self, row: u8, number: u8, file: &Path) {
        let mut database = self.database.clone();
        let id = self.ids[usize::from(row) - 1];
        // The row id precedes the six bytes of the record header, and the version and checksum of
        // the event.
        let places: Vec<_> = (12..database.len() - 16)
            .filter(|at| database[*at..at + 16] == *id.as_bytes())
            .map(|at| at - 12)
            .filter(|at| database[*at] == row)
            .collect();
        assert!(!places.is_empty());
        for at in places {
            database[at] = number;
        }
        reserve_beside(file);
        fs::write(file, &database).unwrap();
    }
}

#[tokio::test]
async fn fault_16_corrupt_row_id_loses_no_event_and_leaves_none_behind() {
    let rows = RenumberedFile::new().await;
    // Some ids hide delivered events from their deletion, or are those of another row.
    let numbers = |row: u8| [0, 50, row - 1, row + 1, row + 27].map(|number| (row, number));
    for (row, number) in (56..100).flat_map(numbers) {
        let folder = Folder::new();
        rows.write(row, number, &folder.file());

        let spool = Spool::open(folder.file()).unwrap();
        let sink = MemorySink::new();
        let recorder = Recorder::builder(sink.clone()).spool(spool.clone());
        let recorder = recorder.build().unwrap();
        while recorder.stats().spooled > 0 {
            tokio::task::yield_now().await;
        }
        let found: HashSet<_> = sink.events().iter().map(Event::id).collect();
        assert_eq!(found.len(), 130, "row {row} as {number}");
        let stats = recorder.stats();
        let counted = (stats.recovered, stats.delivered, stats.lost);
        assert_eq!(counted, (130, 130, 0), "row {row} as {number}");
        recorder.shutdown(PATIENCE).await;
        assert_eq!(spool.status().quarantined.len(), 1, "row {row} as {number}");

        let spool = Spool::open(folder.file()).unwrap();
        assert_eq!(spool.status().recovered, 0, "row {row} as {number}");
        let check = spool.verify().await.unwrap();
        assert!(check.is_intact(), "row {row} as {number}: {check:?}");
    }
}

#[cfg(feature = "testing")]
#[tokio::test]
async fn fault_16_rejected_event_in_a_hidden_row_becomes_one_dead_letter() {
    let rows = RenumberedFile::new().await;
    for (row, number) in [(70, 0), (70, 69), (90, 50)] {
        let folder = Folder::new();
        rows.write(row, number, &folder.file());
        let spool = Spool::open(folder.file()).unwrap();
        let sink = crate::testing::FaultSink::new(MemorySink::new()).reject_times(1_000);
        let recorder = Recorder::builder(sink).spool(spool).build().unwrap();
        while recorder.stats().spooled > 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(recorder.stats().dead, 130, "row {row} as {number}");
        recorder.shutdown(PATIENCE).await;

        let spool = Spool::open(folder.file()).unwrap();
        assert_eq!(spool.status().recovered, 0, "row {row} as {number}");
        let dead_letters = spool.dead_letters(0, 200).await.unwrap();
        let found: HashSet<_> = dead_letters
            .iter()
            .map(|dead_letter| dead_letter.event.id())
            .collect();
        assert_eq!(
            (dead_letters.len(), found.len()),
            (130, 130),
            "row {row} as {number}"
        );
    }
}

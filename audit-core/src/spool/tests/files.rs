//! Faults 17 and 18: files of other versions and of other processes; permissions.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rusqlite::Connection;

use crate::spool::handle::Spool;
use crate::spool::paths::with_suffix;
use crate::spool::tests::{Folder, durable, event, number_of, pending};

/// The variable that passes the path of the spool to the child.
const PATH: &str = "AUDIT_SPOOL_TEST_PATH";

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/spool-1.db")
}

/// Not a test: writes the file of this version, once, before the version is released.
#[tokio::test]
#[ignore = "writes into the source tree"]
async fn write_the_golden_file() {
    let folder = Folder::new();
    let spool = Spool::open(folder.file()).unwrap();
    let [first, refused] = [event(1), event(4)];
    let tried = durable(&spool, &first).await.unwrap();
    for number in 2..=3 {
        durable(&spool, &event(number)).await.unwrap();
    }
    let row = durable(&spool, &refused).await.unwrap();
    spool.enqueue(&event(5)).unwrap();
    spool.record_attempt(tried, first.id(), 1_769_000_000_000);
    let fault = "no such action".to_owned();
    spool
        .move_to_dead_letters(row, refused.id(), fault)
        .unwrap();
    spool.close().await;
    fs::create_dir_all(golden().parent().unwrap()).unwrap();
    fs::copy(folder.file(), golden()).unwrap();
}

#[tokio::test]
async fn fault_17_file_of_the_first_version_is_read() {
    let folder = Folder::new();
    super::reserve_beside(&folder.file());
    fs::copy(golden(), folder.file()).unwrap();
    let spool = Spool::open(folder.file()).unwrap();
    let numbers: Vec<_> = pending(&spool).await.iter().map(number_of).collect();
    assert_eq!(numbers, ["1", "2", "3", "5"]);
    let first = spool
        .load(super::Guarantee::Durable, 0, 1)
        .await
        .unwrap()
        .events;
    assert_eq!(first[0].first_attempt, Some(1_769_000_000_000));
    assert_eq!(first[0].event.organization(), Some("org_1"));
    let dead_letters = spool.dead_letters(0, 10).await.unwrap();
    assert_eq!(dead_letters[0].fault, "no such action");
    assert!(spool.status().quarantined.is_empty());
}

#[tokio::test]
async fn fault_17_file_of_a_newer_version_is_unchanged_and_another_is_used() {
    let folder = Folder::new();
    let spool = Spool::open(folder.file()).unwrap();
    durable(&spool, &event(1)).await.unwrap();
    spool.close().await;
    let newer = Connection::open(folder.file()).unwrap();
    newer.execute_batch("CREATE TABLE more (x)").unwrap();
    newer.pragma_update(None, "user_version", 2).unwrap();
    drop(newer);
    let before = fs::read(folder.file()).unwrap();

    for turn in 0..2 {
        let spool = Spool::open(folder.file()).unwrap();
        assert_eq!(pending(&spool).await.len(), turn);
        assert_eq!(spool.status().quarantined, [folder.file()]);
        durable(&spool, &event(2)).await.unwrap();
        spool.close().await;
        assert_eq!(fs::read(folder.file()).unwrap(), before);
        assert!(with_suffix(&folder.file(), ".v1").exists());
    }
}

#[test]
fn foreign_database_is_refused_and_unchanged() {
    let folder = Folder::new();
    fs::create_dir_all(folder.file().parent().unwrap()).unwrap();
    let other = Connection::open(folder.file()).unwrap();
    other.execute_batch("CREATE TABLE t (x)").unwrap();
    drop(other);
    let before = fs::read(folder.file()).unwrap();
    let error = Spool::open(folder.file()).unwrap_err();
    assert!(error.is_foreign(), "{error}");
    assert!(error.to_string().contains("choose another path"));
    assert_eq!(fs::read(folder.file()).unwrap(), before);
}

#[tokio::test]
async fn fault_18_second_spool_of_the_same_file_is_refused() {
    let folder = Folder::new();
    let spool = Spool::open(folder.file()).unwrap();
    let error = Spool::open(folder.file()).unwrap_err();
    assert!(error.is_locked(), "{error}");
    assert!(
        error
            .to_string()
            .contains("give each process a file of its own")
    );
    assert_eq!(child(&folder.file()), "locked");
    durable(&spool, &event(1)).await.unwrap();
    spool.close().await;
    assert_eq!(child(&folder.file()), "opened 1");
}

/// Opens the spool in another process and returns what it printed.
fn child(file: &Path) -> String {
    let output = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "spool::tests::files::in_a_child",
            "--ignored",
            "--nocapture",
        ])
        .env(PATH, file)
        .output()
        .unwrap();
    let output = String::from_utf8(output.stdout).unwrap();
    let printed = output.lines().find_map(|line| line.split_once("child: "));
    printed.unwrap_or_else(|| panic!("{output}")).1.to_owned()
}

/// Not a test: the other process.
#[test]
#[ignore = "run by another test, with a path"]
#[expect(clippy::print_stdout, reason = "the parent reads the result")]
fn in_a_child() {
    let path = std::env::var_os(PATH).unwrap();
    match Spool::open(path) {
        Ok(spool) => println!("child: opened {}", spool.status().pending),
        Err(error) if error.is_locked() => println!("child: locked"),
        Err(error) => println!("child: {error}"),
    }
}

#[cfg(unix)]
#[tokio::test]
async fn created_files_are_readable_by_the_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::new();
    let spool = Spool::open(folder.file()).unwrap();
    durable(&spool, &event(1)).await.unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    for suffix in ["", "-wal", "-shm", ".lock", ".reserve"] {
        assert_eq!(
            mode(&with_suffix(&folder.file(), suffix)),
            0o600,
            "{suffix}"
        );
    }
    assert_eq!(mode(folder.file().parent().unwrap()), 0o700);
    spool.close().await;

    fs::set_permissions(folder.file(), fs::Permissions::from_mode(0o644)).unwrap();
    let spool = Spool::open(folder.file()).unwrap();
    assert_eq!(mode(&folder.file()), 0o600);
    spool.close().await;
}

//! Faults 46, 54 and 59: one spool has one owner, whatever its names are.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::recorder::Recorder;
use crate::sink::MemorySink;
use crate::spool::handle::Spool;
use crate::spool::inspect::SpoolFile;
use crate::spool::paths::with_suffix;
use crate::spool::tests::{Folder, durable, event, pending};

/// The variables that pass the work and the path of the spool to the child.
const WORK: &str = "AUDIT_SPOOL_TEST_WORK";
const PATH: &str = "AUDIT_SPOOL_TEST_PATH";

/// Runs `work` on a path in another process, in the folder, and returns what it printed.
fn child(work: &str, path: &Path, folder: &Path) -> String {
    let output = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "spool::tests::ownership::in_a_child",
            "--ignored",
            "--nocapture",
        ])
        .env(WORK, work)
        .env(PATH, path)
        .current_dir(folder)
        .output()
        .unwrap();
    let output = String::from_utf8(output.stdout).unwrap();
    let printed = output.lines().find_map(|line| line.split_once("child: "));
    printed.unwrap_or_else(|| panic!("{output}")).1.to_owned()
}

/// Not a test: the other process.
#[tokio::test(flavor = "current_thread")]
#[ignore = "run by another test, with a path"]
#[expect(clippy::print_stdout, reason = "the parent reads the result")]
async fn in_a_child() {
    let path = PathBuf::from(std::env::var_os(PATH).unwrap());
    match std::env::var_os(WORK).unwrap().to_str().unwrap() {
        "open" => match Spool::open(path) {
            Ok(spool) => println!("child: opened {}", spool.status().pending),
            Err(error) => {
                assert!(error.is_locked(), "{error}");
                println!("child: {error}");
            }
        },
        // As the last connection to a database, SQLite removes its WAL when it closes.
        "read" => {
            let connection = rusqlite::Connection::open(path).unwrap();
            let count = "SELECT count(*) FROM pending";
            let count: i64 = connection.query_row(count, [], |row| row.get(0)).unwrap();
            connection.close().unwrap();
            println!("child: read {count}");
        }
        "inspect" => {
            let file = SpoolFile::open(path).unwrap();
            let is_in_use = file.status().unwrap().in_use;
            let redriven = file.redrive(&[1]).unwrap();
            println!("child: {is_in_use} {}", redriven.is_requested);
        }
        "change the folder" => {
            let builder = Spool::builder(&path);
            let faults = builder.faults.clone();
            let spool = builder.open().unwrap();
            durable(&spool, &event(1)).await.unwrap();
            fs::create_dir("other").unwrap();
            std::env::set_current_dir("other").unwrap();
            faults.fail(0, 1);
            durable(&spool, &event(2)).await.unwrap_err();
            let mut written = durable(&spool, &event(3)).await;
            while written.is_err() {
                written = durable(&spool, &event(3)).await;
            }
            spool.close().await;
            println!("child: written");
        }
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn fault_46_second_recorder_on_one_spool_is_an_error() {
    let folder = Folder::new();
    let spool = Spool::open(folder.file()).unwrap();
    let builder = || Recorder::builder(MemorySink::new()).spool(spool.clone());
    // A recorder that cannot start does not use the spool up.
    assert!(builder().verify_catalog().build().is_err());
    let archive = builder().build().unwrap();

    for other in [builder(), builder().copy_to(&archive)] {
        let error = other.build().unwrap_err();
        assert!(error.is_spool_taken(), "{error}");
        let file = folder.file();
        assert!(
            error.to_string().contains(file.to_str().unwrap()),
            "{error}"
        );
        assert!(error.to_string().contains("open another file"), "{error}");
    }
    archive.record_durable(event(1)).await.unwrap();
    archive.shutdown(Duration::from_secs(60)).await;

    let error = builder().build().unwrap_err();
    assert!(error.is_spool_taken(), "{error}");
    assert!(error.to_string().contains("open it again"), "{error}");
    let spool = Spool::open(folder.file()).unwrap();
    let again = Recorder::builder(MemorySink::new()).spool(spool);
    again.build().unwrap();
}

/// Creates other names of the spool, each with the text of a refusal.
#[cfg(unix)]
fn other_names(folder: &Folder) -> Vec<PathBuf> {
    use std::os::unix::fs::symlink;
    let file = folder.file();
    let made = file.parent().unwrap();
    let at = |name: &str| folder.folder.path().join(name);
    symlink(&file, at("link.spool")).unwrap();
    symlink("link.spool", at("link-to-link.spool")).unwrap();
    symlink(made, at("linked")).unwrap();
    let mut names = vec![
        file.clone(),
        at("link.spool"),
        at("link-to-link.spool"),
        at("linked/audit.spool"),
        at("linked/../made/./audit.spool"),
    ];
    if cfg!(any(target_os = "linux", target_os = "android")) {
        fs::hard_link(&file, at("hard.spool")).unwrap();
        names.push(at("hard.spool"));
    }
    names
}

#[cfg(unix)]
#[tokio::test]
async fn fault_46_no_name_of_a_spool_admits_a_second_owner() {
    let folder = Folder::new();
    let spool = Spool::open(folder.file()).unwrap();
    durable(&spool, &event(1)).await.unwrap();
    let names = other_names(&folder);
    let here = folder.folder.path();
    // The second round is without the lock file.
    for round in 0..2 {
        for name in &names {
            let error = Spool::open(name).unwrap_err();
            assert!(
                error.is_locked(),
                "round {round}, {}: {error}",
                name.display()
            );
            let printed = child("open", name, here);
            assert!(
                printed.contains("has it open"),
                "round {round}, {}: {printed}",
                name.display()
            );
        }
        let relative = child("open", Path::new("made/audit.spool"), here);
        assert!(
            relative.contains("has it open"),
            "round {round}: {relative}"
        );
        if cfg!(any(target_os = "linux", target_os = "android")) {
            fs::remove_file(with_suffix(&folder.file(), ".lock")).unwrap();
        } else {
            break;
        }
    }
    // Every refusal has left SQLite's own locks in place.
    assert_eq!(child("read", &folder.file(), here), "read 1");
    assert!(with_suffix(&folder.file(), "-wal").exists());
    assert_eq!(child("inspect", &folder.file(), here), "true true");
    durable(&spool, &event(2)).await.unwrap();
    spool.close().await;
    for name in names {
        assert_eq!(child("open", &name, here), "opened 2", "{}", name.display());
        let spool = Spool::open(&name).unwrap();
        assert_eq!(pending(&spool).await.len(), 2);
        spool.close().await;
    }
}

#[tokio::test]
async fn fault_46_error_of_a_locked_spool_names_its_owner() {
    let folder = Folder::new();
    let spool = Spool::open(folder.file()).unwrap();
    let error = Spool::open(folder.file()).unwrap_err();
    let owner = "another spool of this process has it open";
    assert!(error.to_string().contains(owner), "{error}");
    let printed = child("open", &folder.file(), folder.folder.path());
    let owner = format!("process {} has it open", std::process::id());
    assert!(printed.contains(&owner), "{printed}");
    spool.close().await;
}

#[cfg(any(target_os = "linux", target_os = "android"))]
#[tokio::test]
async fn fault_46_rebuilt_file_is_locked_under_all_its_names() {
    let folder = Folder::new();
    let spool = Spool::open(folder.file()).unwrap();
    durable(&spool, &event(1)).await.unwrap();
    spool.close().await;
    fs::write(folder.file(), "no database, as after a bad restore").unwrap();
    let spool = Spool::open(folder.file()).unwrap();
    assert_eq!(spool.status().quarantined.len(), 1);
    let other = folder.folder.path().join("hard.spool");
    fs::hard_link(folder.file(), &other).unwrap();
    assert!(Spool::open(&other).unwrap_err().is_locked());
    assert!(child("open", &other, folder.folder.path()).contains("has it open"));
}

#[test]
fn fault_54_spool_of_a_relative_path_stays_in_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let path = Path::new("audit.spool");
    assert_eq!(child("change the folder", path, folder.path()), "written");
    assert_eq!(child("open", path, folder.path()), "opened 2");
    let others = fs::read_dir(folder.path().join("other")).unwrap();
    assert_eq!(others.count(), 0, "a second spool was created");
}

#[cfg(unix)]
#[tokio::test]
async fn fault_54_repair_of_a_linked_spool_replaces_the_target_and_not_the_link() {
    let folder = Folder::new();
    let file = folder.file();
    let volume = folder.folder.path().join("volume");
    let target = volume.join("audit.spool");
    fs::create_dir_all(&volume).unwrap();
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    // The target does not exist yet, and is relative to the folder of the link.
    std::os::unix::fs::symlink("../volume/audit.spool", &file).unwrap();
    let spool = Spool::open(&file).unwrap();
    durable(&spool, &event(1)).await.unwrap();
    spool.close().await;
    fs::write(&target, "no database, as after a bad restore").unwrap();

    let spool = Spool::open(&file).unwrap();
    durable(&spool, &event(2)).await.unwrap();
    let quarantined = spool.status().quarantined;
    spool.close().await;
    assert!(fs::symlink_metadata(&file).unwrap().is_symlink());
    assert_eq!(
        quarantined[0].parent().unwrap(),
        fs::canonicalize(&volume).unwrap()
    );
    let beside: Vec<_> = fs::read_dir(file.parent().unwrap()).unwrap().collect();
    assert_eq!(beside.len(), 1, "only the link: {beside:?}");
    let spool = Spool::open(&target).unwrap();
    assert_eq!(spool.status().pending, 1);
}

#[tokio::test]
async fn fault_59_open_waits_for_a_predecessor_that_ends() {
    let folder = Folder::new();
    let spool = Spool::open(folder.file()).unwrap();
    durable(&spool, &event(1)).await.unwrap();
    let error = Spool::open(folder.file()).unwrap_err();
    assert!(error.to_string().contains("`wait_for_lock`"), "{error}");
    let file = folder.file();
    let successor = std::thread::spawn(move || {
        let builder = Spool::builder(file).wait_for_lock(Duration::MAX);
        builder.open().map(|spool| spool.status().pending)
    });
    // The predecessor ends its shutdown later than the shortest wait.
    let another = Spool::open(folder.file()).unwrap_err();
    assert!(another.is_locked());
    spool.close().await;
    assert_eq!(successor.join().unwrap().unwrap(), 1);
}

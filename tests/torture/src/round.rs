//! One round: its folder, server and processes, the injected fault, and the final comparison.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use audit_server::{EventFilter, EventStatus, LocalServer};
use fastrand::Rng;
use tempfile::TempDir;

use crate::child::{ACTION, LOCKED, TARGET, block_on, client};
use crate::corrupt::{flip, log_of};
use crate::error::Error;
use crate::ledger::{Ledger, Outcome};
use crate::mounts::{Mounts, done};
use crate::partial::failure;
use crate::process::{Ended, Process};

/// The injected fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Kill,
    KillTwice,
    KillRecovery,
    FullDisk,
    ReadOnly,
    WriteErrors,
    Flip,
    Cut,
    Two,
    Clock,
    PartialFailure,
    RemovedFiles,
    SecondName,
    HungDisk,
}

const KINDS: [Kind; 14] = [
    Kind::Kill,
    Kind::KillTwice,
    Kind::KillRecovery,
    Kind::FullDisk,
    Kind::ReadOnly,
    Kind::WriteErrors,
    Kind::Flip,
    Kind::Cut,
    Kind::Two,
    Kind::Clock,
    Kind::PartialFailure,
    Kind::RemovedFiles,
    Kind::SecondName,
    Kind::HungDisk,
];

/// The size of a small disk in mebibytes, including the spool's reserve of one.
const SMALL_DISK: u32 = 3;
/// The greatest size of a file in kibibytes, if no disk can be mounted. The reserve fits.
const SMALL_FILE: u32 = 1_100;
/// The offsets of a clock in seconds.
const JUMPS: [i64; 6] = [3_600, -7_200, 90_000, -172_800, 2_592_000, 0];

impl Kind {
    /// Returns the kind of a seed. Consecutive seeds cycle through all kinds.
    pub(crate) fn of(seed: u64) -> Self {
        KINDS[(seed % KINDS.len() as u64) as usize]
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Kill => "kill",
            Self::KillTwice => "kill in a row",
            Self::KillRecovery => "kill during recovery",
            Self::FullDisk => "full disk",
            Self::ReadOnly => "read-only disk",
            Self::WriteErrors => "write errors",
            Self::Flip => "flipped bytes",
            Self::Cut => "cut log",
            Self::Two => "two processes",
            Self::Clock => "clock jumps",
            Self::PartialFailure => "partial failure",
            Self::RemovedFiles => "removed files",
            Self::SecondName => "second name",
            Self::HungDisk => "hung disk",
        }
    }

    /// Returns `true` if the fault destroys synced bytes.
    fn destroys(self) -> bool {
        matches!(self, Self::Flip | Self::Cut)
    }
}

/// The resources shared by all rounds.
pub(crate) struct Setting {
    mounts: Mounts,
    folder: TempDir,
    /// The library that offsets the wall clock of a process, for `LD_PRELOAD`.
    clock: PathBuf,
    /// The library that makes the writes of a process block.
    hang: PathBuf,
}

impl Setting {
    pub(crate) fn new(mounts: Mounts) -> Result<Self, Error> {
        let folder = TempDir::with_prefix("torture-").map_err(Error::io("make a folder"))?;
        let library = |name: &str, source: &str| {
            let library = folder.path().join(name);
            let mut command = Command::new("cc");
            command.args(["-shared", "-fPIC", "-o"]).arg(&library);
            done(command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join(source)))?;
            Ok(library)
        };
        let clock = library("clock.so", "../faults/clock.c")?;
        let hang = library("hang.so", "hang.c")?;
        Ok(Self {
            mounts,
            folder,
            clock,
            hang,
        })
    }

    pub(crate) fn round(&self, kind: Kind, seed: u64) -> Outcome {
        let failed = |error: Error| Outcome {
            problems: vec![error.to_string()],
            ..Outcome::default()
        };
        match Round::new(self, seed) {
            Ok(mut round) => {
                let outcome = round.run(kind).unwrap_or_else(failed);
                round.clear();
                outcome
            }
            Err(error) => failed(error),
        }
    }
}

struct Round<'a> {
    setting: &'a Setting,
    random: Rng,
    folder: TempDir,
    spool: PathBuf,
    mounted: Vec<PathBuf>,
    server: LocalServer,
    ledger: Ledger,
    processes: u32,
    problems: Vec<String>,
}

impl<'a> Round<'a> {
    fn new(setting: &'a Setting, seed: u64) -> Result<Self, Error> {
        let folder =
            tempfile::tempdir_in(setting.folder.path()).map_err(Error::io("make a folder"))?;
        let spool = folder.path().join("disk");
        std::fs::create_dir(&spool).map_err(Error::io("make a folder"))?;
        let server = LocalServer::start().map_err(Error::other)?;
        let schema = serde_json::json!({ "targets": [{ "type": TARGET }] });
        let client = client(server.url())?;
        block_on(async { client.create_schema(ACTION, &schema).await })?.map_err(Error::other)?;
        Ok(Self {
            setting,
            random: Rng::with_seed(seed),
            spool: spool.join("audit.spool"),
            folder,
            mounted: Vec::new(),
            server,
            ledger: Ledger::default(),
            processes: 0,
            problems: Vec::new(),
        })
    }

    fn clear(self) {
        for folder in &self.mounted {
            if let Err(error) = Mounts::unmount(folder) {
                eprintln!("{error}");
            }
        }
    }

    fn run(&mut self, kind: Kind) -> Result<Outcome, Error> {
        match kind {
            Kind::Kill => self.kill(1)?,
            Kind::KillTwice => {
                let times = self.random.u32(2..=4);
                self.kill(times)?;
            }
            Kind::KillRecovery => self.kill_recovery()?,
            Kind::FullDisk => self.full_disk()?,
            Kind::ReadOnly => self.read_only()?,
            Kind::WriteErrors => self.write_errors()?,
            Kind::Flip => self.flip()?,
            Kind::Cut => self.cut()?,
            Kind::Two => self.two()?,
            Kind::Clock => self.clock()?,
            Kind::PartialFailure => self.partial_failure()?,
            Kind::RemovedFiles => self.removed_files()?,
            Kind::SecondName => self.second_name()?,
            Kind::HungDisk => self.hung_disk()?,
        }
        self.drain(&[])?;
        let mut outcome = self.ledger.compare(&self.arrived()?, kind.destroys());
        outcome.problems.append(&mut self.problems);
        Ok(outcome)
    }

    fn kill(&mut self, times: u32) -> Result<(), Error> {
        for _ in 0..times {
            let process = self.start(None, &[])?;
            self.kill_at_some_time(process)?;
        }
        Ok(())
    }

    /// Kills a process after some acknowledgements or, rarely, while it opens the spool.
    fn kill_at_some_time(&mut self, process: Process) -> Result<(), Error> {
        if self.random.u8(..5) > 0 {
            let acknowledged = self.random.usize(1..160);
            self.expect(&process, "ack", acknowledged)?;
            self.sleep(2_000);
        } else {
            self.sleep(40_000);
        }
        process.kill(&mut self.ledger).map(drop)
    }

    fn kill_recovery(&mut self) -> Result<(), Error> {
        self.kill(1)?;
        for _ in 0..self.random.u32(1..=4) {
            let url = self.server.url().to_owned();
            let process = Process::start(&["drain", "--url", &url], &self.spool, None, &[])?;
            self.sleep(60_000);
            process.kill(&mut self.ledger)?;
        }
        Ok(())
    }

    fn full_disk(&mut self) -> Result<(), Error> {
        let limit = self.disk(SMALL_DISK)?.then_some(SMALL_FILE);
        let process =
            self.start_with(&["--events", "100000", "--texts", "8"], limit, &[], false)?;
        self.expect(&process, "refused", 20)?;
        self.end_or_kill(process)?;
        if limit.is_some() {
            return Ok(());
        }
        // The disk is still full: deleting the delivered events must work without free space.
        self.drain(&[])?;
        let process = self.start_with(&["--events", "10"], None, &[], true)?;
        self.expect(&process, "ack", 10)?;
        self.end_or_kill(process)
    }

    fn read_only(&mut self) -> Result<(), Error> {
        let without = self.disk(SMALL_DISK * 4)?;
        self.kill(1)?;
        if !without {
            Mounts::set_writable(self.spool_folder(), false)?;
        }
        // The process may fail to open the spool, or refuse every event.
        let process = self.start_with(&[], without.then_some(0), &[], false)?;
        let refuses = process.read_until(&mut self.ledger, "refused", 5)?;
        let ended = if refuses {
            process.kill(&mut self.ledger)
        } else {
            process.wait(&mut self.ledger)
        }?;
        if !refuses && (ended.code == Some(0) || ended.errors.is_empty()) {
            self.problems
                .push("a read-only spool was opened without an error".to_owned());
        }
        if !without {
            Mounts::set_writable(self.spool_folder(), true)?;
        }
        self.kill(1)
    }

    /// Makes the disk fail under a running process, and work again.
    fn write_errors(&mut self) -> Result<(), Error> {
        let process = self.start_with(&["--events", "100000"], None, &[], true)?;
        for _ in 0..self.random.u32(1..=3) {
            let acknowledged = self.random.usize(1..60);
            self.expect(&process, "ack", acknowledged)?;
            process.limit_writes(true)?;
            self.expect(&process, "refused", 8)?;
            process.limit_writes(false)?;
            self.expect(&process, "ack", 8)?;
        }
        self.end_or_kill(process)
    }

    fn flip(&mut self) -> Result<(), Error> {
        for _ in 0..self.random.u32(1..=2) {
            // A kill leaves the events in the log; an orderly exit moves them into the database.
            if self.random.bool() {
                self.kill(1)?;
            } else {
                let process = self.start_with(&[], None, &[], false)?;
                self.expect(&process, "ack", 100)?;
                process.end(&mut self.ledger)?;
            }
            let times = self.random.u32(1..=8);
            flip(&mut self.random, &self.spool, times)?;
        }
        Ok(())
    }

    fn cut(&mut self) -> Result<(), Error> {
        self.disk(64)?;
        let process = self.start_with(&[], None, &[], false)?;
        let acknowledged = self.random.usize(4..40);
        self.expect(&process, "ack", acknowledged)?;
        process.kill(&mut self.ledger)?;
        let work = self.spool_folder().to_string_lossy().into_owned();
        let cutter = Process::start(&["cuts", "--work", &work], &self.spool, None, &[])?;
        let mut whole = Vec::new();
        let ended = cutter.read_lines(&mut |line| {
            if let Some(serial) = line.strip_prefix("whole ") {
                whole.push(serial.to_owned());
            }
        })?;
        if ended.code != Some(0) {
            self.problems.push(ended.errors);
        } else {
            // The complete log must recover every event.
            self.problems
                .extend(self.ledger.compare(&whole, false).problems);
        }
        let log = log_of(&self.spool);
        let doing = || Error::io("cut the log");
        let file = std::fs::OpenOptions::new()
            .write(true)
            .open(log)
            .map_err(doing())?;
        let length = file.metadata().map_err(doing())?.len();
        file.set_len(self.random.u64(..=length / 512) * 512)
            .map_err(doing())
    }

    fn two(&mut self) -> Result<(), Error> {
        let first = self.start(None, &[])?;
        self.expect(&first, "open", 1)?;
        let second = self.start(None, &[])?;
        let ended = second.wait(&mut self.ledger)?;
        if ended.code != Some(LOCKED) {
            self.problems
                .push(format!("a second process was not refused: {ended:?}"));
        }
        self.kill_at_some_time(first)?;
        let pair = [self.start(None, &[])?, self.start(None, &[])?];
        let mut opened = 0;
        let mut running = Vec::new();
        for process in pair {
            if process.read_until(&mut self.ledger, "open", 1)? {
                opened += 1;
                running.push(process);
            }
        }
        if opened != 1 {
            self.problems.push(format!(
                "{opened} of two concurrent processes opened the spool"
            ));
        }
        for process in running {
            self.expect(&process, "ack", 5)?;
            self.end_or_kill(process)?;
        }
        Ok(())
    }

    fn clock(&mut self) -> Result<(), Error> {
        let seconds = self.folder.path().join("seconds");
        let set =
            |by: i64| std::fs::write(&seconds, by.to_string()).map_err(Error::io("set the clock"));
        set(0)?;
        let setting = self.setting;
        let settings = [
            ("LD_PRELOAD", setting.clock.as_path()),
            ("AUDIT_TEST_CLOCK", seconds.as_path()),
        ];
        for _ in 0..2 {
            let process = self.start(None, &settings)?;
            for _ in 0..4 {
                set(JUMPS[self.random.usize(..JUMPS.len())])?;
                self.expect(&process, "ack", 10)?;
            }
            self.end_or_kill(process)?;
        }
        self.drain(&settings)
    }

    /// Records and delivers beside events that always fail, which must be kept and counted.
    fn partial_failure(&mut self) -> Result<(), Error> {
        let every = self.random.u32(2..=9);
        let fails = every.to_string();
        let process = self.start_with(&["--fails", &fails], None, &[], true)?;
        let acknowledged = self.random.usize(20..200);
        self.expect(&process, "ack", acknowledged)?;
        self.end_or_kill(process)?;
        let url = self.server.url().to_owned();
        let args = ["drain", "--url", &url, "--fails", &fails];
        let process = Process::start(&args, &self.spool, None, &[])?;
        let Ended { code, errors } = process.wait(&mut self.ledger)?;
        if code != Some(0) {
            self.problems.push(format!("a process failed: {errors}"));
        }
        let is_failing = |serial: &&String| failure(serial, every).is_some();
        let failing = self.ledger.acknowledged.iter().filter(is_failing).count();
        let end = self.ledger.ends.last().cloned().unwrap_or_default();
        if end.get("left") + end.get("kept_dead") < failing as u64 {
            self.problems.push(format!(
                "not all of {failing} failing events were kept: {end}"
            ));
        }
        let arrived = self.arrived()?.iter().filter(is_failing).count();
        if arrived > 0 {
            self.problems
                .push(format!("{arrived} events arrived that the sink refused"));
        }
        Ok(())
    }

    /// Removes the files of a running process, as an operator who frees space.
    fn removed_files(&mut self) -> Result<(), Error> {
        let delivers = self.random.bool();
        let process = self.start_with(&["--events", "100000"], None, &[], delivers)?;
        for _ in 0..self.random.u32(1..=3) {
            let acknowledged = self.random.usize(1..60);
            self.expect(&process, "ack", acknowledged)?;
            for suffix in ["", "-wal", "-shm"] {
                let mut name = self.spool.as_os_str().to_owned();
                name.push(suffix);
                match std::fs::remove_file(name) {
                    Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                        return Err(Error::io("remove a file of the spool")(error));
                    }
                    _ => {}
                }
            }
            self.expect(&process, "ack", 8)?;
        }
        self.end_or_kill(process)
    }

    /// Opens the file by other names, which only works when the first process has ended.
    fn second_name(&mut self) -> Result<(), Error> {
        let first = self.start(None, &[])?;
        self.expect(&first, "ack", 1)?;
        let beside = |name: &str| self.folder.path().join(name);
        let (link, hard_link, folder) = (beside("link"), beside("hard-link"), beside("folder"));
        let in_folder = folder.join("audit.spool");
        let doing = || Error::io("link the spool");
        std::os::unix::fs::symlink(&self.spool, &link).map_err(doing())?;
        std::os::unix::fs::symlink(self.spool_folder(), &folder).map_err(doing())?;
        std::fs::hard_link(&self.spool, &hard_link).map_err(doing())?;
        for name in [&link, &hard_link, &in_folder] {
            let process = Process::start(&["record", "--name", "second"], name, None, &[])?;
            let ended = process.wait(&mut self.ledger)?;
            if ended.code != Some(LOCKED) {
                let name = name.display();
                self.problems
                    .push(format!("a process was not refused {name}: {ended:?}"));
            }
        }
        self.expect(&first, "ack", 8)?;
        self.end_or_kill(first)?;
        std::fs::remove_file(&hard_link).map_err(Error::io("remove a name of the spool"))?;
        let name = if self.random.bool() { link } else { in_folder };
        let process = Process::start(&["record", "--name", "third"], &name, None, &[])?;
        self.expect(&process, "ack", 20)?;
        self.end_or_kill(process)
    }

    /// Blocks the writes of a running process, which may be killed meanwhile.
    fn hung_disk(&mut self) -> Result<(), Error> {
        let hang = self.folder.path().join("hang");
        let library = self.setting.hang.clone();
        let settings = [
            ("LD_PRELOAD", library.as_path()),
            ("AUDIT_TEST_HANG", hang.as_path()),
        ];
        let delivers = self.random.bool();
        let process = self.start_with(&["--events", "100000"], None, &settings, delivers)?;
        for _ in 0..self.random.u32(1..=3) {
            let acknowledged = self.random.usize(1..60);
            self.expect(&process, "ack", acknowledged)?;
            std::fs::write(&hang, "").map_err(Error::io("stop the disk"))?;
            self.sleep(500_000);
            if self.random.u8(..4) == 0 {
                return process.kill(&mut self.ledger).map(drop);
            }
            std::fs::remove_file(&hang).map_err(Error::io("release the disk"))?;
            self.expect(&process, "ack", 8)?;
        }
        self.end_or_kill(process)
    }

    /// Mounts a disk of this size for the spool. Returns `true` if none can be mounted.
    fn disk(&mut self, mebibytes: u32) -> Result<bool, Error> {
        if self.setting.mounts == Mounts::Limits {
            return Ok(true);
        }
        let folder = self.spool_folder().to_owned();
        Mounts::small_disk(&folder, mebibytes)?;
        self.mounted.push(folder);
        Ok(false)
    }

    fn spool_folder(&self) -> &Path {
        self.spool.parent().unwrap_or(&self.spool)
    }

    fn start(&mut self, limit: Option<u32>, settings: &[(&str, &Path)]) -> Result<Process, Error> {
        let delivers = self.random.bool();
        self.start_with(&[], limit, settings, delivers)
    }

    fn start_with(
        &mut self,
        extra: &[&str],
        limit: Option<u32>,
        settings: &[(&str, &Path)],
        delivers: bool,
    ) -> Result<Process, Error> {
        self.processes += 1;
        let (name, url) = (format!("p{}", self.processes), self.server.url().to_owned());
        let mut args = vec!["record", "--name", &name];
        if delivers {
            args.extend(["--url", &url]);
        }
        args.extend(extra);
        Process::start(&args, &self.spool, limit, settings)
    }

    /// Runs a process without faults, which has to open the spool and deliver all events.
    fn drain(&mut self, settings: &[(&str, &Path)]) -> Result<(), Error> {
        let url = self.server.url().to_owned();
        let args = ["drain", "--redrive", "--url", &url];
        let process = Process::start(&args, &self.spool, None, settings)?;
        let ended = process.wait(&mut self.ledger)?;
        let end = self.ledger.ends.last().cloned().unwrap_or_default();
        if ended.code != Some(0) {
            self.problems
                .push(format!("the spool did not reopen: {}", ended.errors));
        } else if end.get("spooled") + end.get("left") + end.get("dead") + end.get("pending") > 0 {
            self.problems
                .push(format!("events were not delivered without faults: {end}"));
        }
        Ok(())
    }

    /// Reads output until this many lines with the prefix; an early exit is a problem.
    fn expect(&mut self, process: &Process, prefix: &str, times: usize) -> Result<(), Error> {
        if !process.read_until(&mut self.ledger, prefix, times)? {
            self.problems.push(format!(
                "a process exited before it printed `{prefix}` {times} times"
            ));
        }
        Ok(())
    }

    fn end_or_kill(&mut self, process: Process) -> Result<(), Error> {
        if self.random.bool() {
            return process.kill(&mut self.ledger).map(drop);
        }
        let Ended { code, errors } = process.end(&mut self.ledger)?;
        if code != Some(0) {
            self.problems.push(format!("a process failed: {errors}"));
        }
        Ok(())
    }

    /// Sleeps for a random time, to vary the moment of the next step; correctness does not depend
    /// on it.
    fn sleep(&mut self, most_micros: u64) {
        std::thread::sleep(Duration::from_micros(self.random.u64(..most_micros)));
    }

    /// Returns the events on the server, duplicates included.
    fn arrived(&self) -> Result<Vec<String>, Error> {
        let accepted = EventFilter::new().status(EventStatus::Accepted);
        let events = self.server.events_where(&accepted).map_err(Error::other)?;
        let serial =
            |event: serde_json::Value| Some(event["targets"][0]["id"].as_str()?.to_owned());
        Ok(events
            .iter()
            .filter_map(|event| serial(event.event()))
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twenty_eight_consecutive_seeds_have_every_kind_twice() {
        for kind in KINDS {
            assert_eq!((7..35).filter(|seed| Kind::of(*seed) == kind).count(), 2);
        }
    }
}

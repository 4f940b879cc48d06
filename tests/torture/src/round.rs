//! One round: a folder, a server, processes, what is done to them, and the comparison at its end.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use audit_server::{EventFilter, EventStatus, LocalServer};
use fastrand::Rng;
use tempfile::TempDir;

use crate::Error;
use crate::child::{ACTION, LOCKED, TARGET, block_on, client};
use crate::hurt::{flip, log_of};
use crate::ledger::{Ledger, Outcome};
use crate::mounts::{Mounts, done};
use crate::process::{Ended, Victim};

/// What is done to the processes, or to their disk.
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
}

const KINDS: [Kind; 10] = [
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
];

/// The mebibytes of a small disk: the reserve is one of them.
const SMALL_DISK: u32 = 3;
/// Where no disk can be mounted, the greatest size of a file in kibibytes. The reserve fits.
const SMALL_FILE: u32 = 1_100;
/// By how many seconds a clock is set.
const JUMPS: [i64; 6] = [3_600, -7_200, 90_000, -172_800, 2_592_000, 0];

impl Kind {
    /// Seeds in a row have all kinds in turn, so that few rounds have them all.
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
        }
    }

    /// Whether it takes from the disk what was synced.
    fn destroys(self) -> bool {
        matches!(self, Self::Flip | Self::Cut)
    }
}

/// What all rounds share.
pub(crate) struct Setting {
    mounts: Mounts,
    folder: TempDir,
    /// Preloaded into a process, moves its wall clock.
    clock: PathBuf,
}

impl Setting {
    pub(crate) fn new(mounts: Mounts) -> Result<Self, Error> {
        let folder = TempDir::with_prefix("torture-").map_err(Error::io("make a folder"))?;
        let clock = folder.path().join("clock.so");
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/../faults/clock.c");
        done(
            Command::new("cc")
                .args(["-shared", "-fPIC", "-o"])
                .arg(&clock)
                .arg(source),
        )?;
        Ok(Self {
            mounts,
            folder,
            clock,
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
        }
        self.drain(&[])?;
        let mut outcome = self.ledger.compare(&self.arrived()?, kind.destroys());
        outcome.problems.append(&mut self.problems);
        Ok(outcome)
    }

    fn kill(&mut self, times: u32) -> Result<(), Error> {
        for _ in 0..times {
            let victim = self.start(None, &[])?;
            self.kill_at_some_time(victim)?;
        }
        Ok(())
    }

    /// After some acknowledgements or, seldom, already while it opens the spool.
    fn kill_at_some_time(&mut self, victim: Victim) -> Result<(), Error> {
        if self.random.u8(..5) > 0 {
            let acknowledged = self.random.usize(1..160);
            self.expect(&victim, "ack", acknowledged)?;
            self.sleep(2_000);
        } else {
            self.sleep(40_000);
        }
        victim.kill(&mut self.ledger).map(drop)
    }

    fn kill_recovery(&mut self) -> Result<(), Error> {
        self.kill(1)?;
        for _ in 0..self.random.u32(1..=4) {
            let url = self.server.url().to_owned();
            let victim = Victim::start(&["drain", "--url", &url], &self.spool, None, &[])?;
            self.sleep(60_000);
            victim.kill(&mut self.ledger)?;
        }
        Ok(())
    }

    fn full_disk(&mut self) -> Result<(), Error> {
        let limit = self.disk(SMALL_DISK)?.then_some(SMALL_FILE);
        let victim = self.start_with(&["--events", "100000", "--texts", "8"], limit, &[], false)?;
        self.expect(&victim, "refused", 20)?;
        self.end_or_kill(victim)?;
        if limit.is_some() {
            return Ok(());
        }
        // It is still full: what is delivered has to make the space for its own deletion.
        self.drain(&[])?;
        let victim = self.start_with(&["--events", "10"], None, &[], true)?;
        self.expect(&victim, "ack", 10)?;
        self.end_or_kill(victim)
    }

    fn read_only(&mut self) -> Result<(), Error> {
        let without = self.disk(SMALL_DISK * 4)?;
        self.kill(1)?;
        if !without {
            Mounts::set_writable(self.place(), false)?;
        }
        // It may say at once that it cannot open the spool, or refuse what it is given.
        let victim = self.start_with(&[], without.then_some(0), &[], false)?;
        let refuses = victim.hear(&mut self.ledger, "refused", 5)?;
        let ended = if refuses {
            victim.kill(&mut self.ledger)
        } else {
            victim.wait(&mut self.ledger)
        }?;
        if !refuses && (ended.code == Some(0) || ended.errors.is_empty()) {
            self.problems
                .push("a spool that cannot be written was opened without a word".to_owned());
        }
        if !without {
            Mounts::set_writable(self.place(), true)?;
        }
        self.kill(1)
    }

    /// A disk that fails under a process that runs, and is well again.
    fn write_errors(&mut self) -> Result<(), Error> {
        let victim = self.start_with(&["--events", "100000"], None, &[], true)?;
        for _ in 0..self.random.u32(1..=3) {
            let acknowledged = self.random.usize(1..60);
            self.expect(&victim, "ack", acknowledged)?;
            victim.limit_writes(true)?;
            self.expect(&victim, "refused", 8)?;
            victim.limit_writes(false)?;
            self.expect(&victim, "ack", 8)?;
        }
        self.end_or_kill(victim)
    }

    fn flip(&mut self) -> Result<(), Error> {
        for _ in 0..self.random.u32(1..=2) {
            // A kill leaves all of it in the log; an end moves it into the file, where other bytes
            // are hit.
            if self.random.bool() {
                self.kill(1)?;
            } else {
                let victim = self.start_with(&[], None, &[], false)?;
                self.expect(&victim, "ack", 100)?;
                victim.end(&mut self.ledger)?;
            }
            let times = self.random.u32(1..=8);
            flip(&mut self.random, &self.spool, times)?;
        }
        Ok(())
    }

    fn cut(&mut self) -> Result<(), Error> {
        self.disk(64)?;
        let victim = self.start_with(&[], None, &[], false)?;
        let acknowledged = self.random.usize(4..40);
        self.expect(&victim, "ack", acknowledged)?;
        victim.kill(&mut self.ledger)?;
        let work = self.place().to_string_lossy().into_owned();
        let cutter = Victim::start(&["cuts", "--work", &work], &self.spool, None, &[])?;
        let mut whole = Vec::new();
        let ended = cutter.listen(&mut |line| {
            if let Some(serial) = line.strip_prefix("whole ") {
                whole.push(serial.to_owned());
            }
        })?;
        if ended.code != Some(0) {
            self.problems.push(ended.errors);
        } else {
            // Nothing is destroyed by a cut at the end.
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
                .push(format!("a second process was not sent away: {ended:?}"));
        }
        self.kill_at_some_time(first)?;
        let pair = [self.start(None, &[])?, self.start(None, &[])?];
        let mut opened = 0;
        let mut running = Vec::new();
        for victim in pair {
            if victim.hear(&mut self.ledger, "open", 1)? {
                opened += 1;
                running.push(victim);
            }
        }
        if opened != 1 {
            self.problems.push(format!(
                "of two processes at once {opened} opened the spool"
            ));
        }
        for victim in running {
            self.expect(&victim, "ack", 5)?;
            self.end_or_kill(victim)?;
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
            let victim = self.start(None, &settings)?;
            for _ in 0..4 {
                set(JUMPS[self.random.usize(..JUMPS.len())])?;
                self.expect(&victim, "ack", 10)?;
            }
            self.end_or_kill(victim)?;
        }
        self.drain(&settings)
    }

    /// Mounts a disk of so many mebibytes for the spool; whether none can be mounted.
    fn disk(&mut self, mebibytes: u32) -> Result<bool, Error> {
        if self.setting.mounts == Mounts::Limits {
            return Ok(true);
        }
        let folder = self.place().to_owned();
        Mounts::small_disk(&folder, mebibytes)?;
        self.mounted.push(folder);
        Ok(false)
    }

    fn place(&self) -> &Path {
        self.spool.parent().unwrap_or(&self.spool)
    }

    fn start(&mut self, limit: Option<u32>, settings: &[(&str, &Path)]) -> Result<Victim, Error> {
        let delivers = self.random.bool();
        self.start_with(&[], limit, settings, delivers)
    }

    fn start_with(
        &mut self,
        more: &[&str],
        limit: Option<u32>,
        settings: &[(&str, &Path)],
        delivers: bool,
    ) -> Result<Victim, Error> {
        self.processes += 1;
        let (name, url) = (format!("p{}", self.processes), self.server.url().to_owned());
        let mut args = vec!["record", "--name", &name];
        if delivers {
            args.extend(["--url", &url]);
        }
        args.extend(more);
        Victim::start(&args, &self.spool, limit, settings)
    }

    /// A process that is left in peace: it has to come up without help, and to deliver all.
    fn drain(&mut self, settings: &[(&str, &Path)]) -> Result<(), Error> {
        let url = self.server.url().to_owned();
        let victim = Victim::start(&["drain", "--url", &url], &self.spool, None, settings)?;
        let ended = victim.wait(&mut self.ledger)?;
        let end = self.ledger.ends.last().cloned().unwrap_or_default();
        if ended.code != Some(0) {
            self.problems.push(format!(
                "the spool does not open again without help: {}",
                ended.errors
            ));
        } else if end.get("spooled") + end.get("left") + end.get("dead") + end.get("pending") > 0 {
            self.problems
                .push(format!("not all was delivered in peace: {end}"));
        }
        Ok(())
    }

    /// Hears a process that has to say something so many times.
    fn expect(&mut self, victim: &Victim, begins: &str, times: usize) -> Result<(), Error> {
        if !victim.hear(&mut self.ledger, begins, times)? {
            self.problems.push(format!(
                "a process ended before it said `{begins}` {times} times"
            ));
        }
        Ok(())
    }

    fn end_or_kill(&mut self, victim: Victim) -> Result<(), Error> {
        if self.random.bool() {
            return victim.kill(&mut self.ledger).map(drop);
        }
        let Ended { code, errors } = victim.end(&mut self.ledger)?;
        if code != Some(0) {
            self.problems
                .push(format!("a process did not end well: {errors}"));
        }
        Ok(())
    }

    /// So that what follows comes at another moment each time; nothing depends on how long it is.
    fn sleep(&mut self, most_micros: u64) {
        std::thread::sleep(Duration::from_micros(self.random.u64(..most_micros)));
    }

    /// The events that the server took, each as often as it has it.
    fn arrived(&self) -> Result<Vec<String>, Error> {
        let taken = EventFilter::new().status(EventStatus::Accepted);
        let events = self.server.events_where(&taken).map_err(Error::other)?;
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
    fn twenty_seeds_in_a_row_have_every_kind_twice() {
        for kind in KINDS {
            assert_eq!((7..27).filter(|seed| Kind::of(*seed) == kind).count(), 2);
        }
    }
}

//! The facts of a test run: one file for each process, read together for the report.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::UNIX_EPOCH;

use http::{Method, StatusCode};

use super::facts::{Fact, Facts};
use crate::telemetry::AuditTrace;

/// The variable that names the run. nextest's own `NEXTEST_RUN_ID` does not serve: the report is
/// made by a second command with another id, which cannot know which earlier run to read.
const RUN: &str = "AUDIT_COVERAGE_RUN";
/// The greatest length of a run's name.
const MOST_CHARS: usize = 100;
/// The file that cargo creates at the root of a target directory.
const TARGET_MARK: &str = "CACHEDIR.TAG";
/// The start of a file's first line, before the identity of the executable; the number is the
/// version of the format.
const HEAD: &str = "audit-coverage 1";

/// The error of a coverage report over a run.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct CoverageError {
    kind: ErrorKind,
}

#[derive(Debug, thiserror::Error)]
enum ErrorKind {
    #[error(
        "{RUN} is not set, so there is no run to report: set it for the tests and for the report, \
         or use `Capture::coverage` of one capture"
    )]
    NoRun,
    #[error(
        "{RUN} has to be 1 to {MOST_CHARS} characters of `a-z`, `A-Z`, `0-9`, `.`, `_` and `-`, and not begin with `.`"
    )]
    BadName,
    #[error("there is no target directory, one with a {TARGET_MARK}, above the executable {}", .0.display())]
    NoTarget(PathBuf),
    #[error("no test of the run recorded a fact in {}", .0.display())]
    Empty(PathBuf),
    #[error("{}: {error}", path.display())]
    Io { path: PathBuf, error: io::Error },
}

impl CoverageError {
    /// Returns `true` if the run has no name: `AUDIT_COVERAGE_RUN` is not set.
    #[must_use]
    pub fn is_without_run(&self) -> bool {
        matches!(self.kind, ErrorKind::NoRun)
    }

    /// Returns `true` if no process of the run recorded a fact.
    #[must_use]
    pub fn is_empty_run(&self) -> bool {
        matches!(self.kind, ErrorKind::Empty(_))
    }
}

impl From<ErrorKind> for CoverageError {
    fn from(kind: ErrorKind) -> Self {
        Self { kind }
    }
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> CoverageError {
    let path = path.to_owned();
    move |error| ErrorKind::Io { path, error }.into()
}

/// The folder of a named run.
pub(super) struct Run {
    folder: PathBuf,
}

/// The merged facts of a run.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) facts: Facts,
    /// Ignored files, because the executable that wrote them changed or was deleted.
    pub(super) stale: usize,
}

impl Run {
    /// Returns the run of this name; `None` without a name.
    fn named(name: Option<OsString>, executable: &Path) -> Result<Option<Self>, CoverageError> {
        let Some(name) = name else { return Ok(None) };
        let is_plain = |char: char| char.is_ascii_alphanumeric() || "._-".contains(char);
        let name = name
            .to_str()
            .filter(|name| (1..=MOST_CHARS).contains(&name.len()))
            .filter(|name| name.chars().all(is_plain) && !name.starts_with('.'))
            .ok_or(ErrorKind::BadName)?;
        let target = executable
            .ancestors()
            .find(|folder| folder.join(TARGET_MARK).is_file())
            .ok_or_else(|| ErrorKind::NoTarget(executable.to_owned()))?;
        Ok(Some(Self {
            folder: target.join("audit-coverage").join(name),
        }))
    }

    fn of_environment() -> Result<Option<Self>, CoverageError> {
        let executable = std::env::current_exe().map_err(failed(Path::new("the executable")))?;
        // This is the one place of the test kit that reads the environment.
        Self::named(std::env::var_os(RUN), &executable)
    }

    /// Returns the run of the environment, for a report.
    pub(super) fn to_read() -> Result<Self, CoverageError> {
        Ok(Self::of_environment()?.ok_or(ErrorKind::NoRun)?)
    }

    pub(super) fn read(&self) -> Result<Read, CoverageError> {
        let mut read = Read {
            facts: Facts::default(),
            stale: 0,
        };
        let files = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(ErrorKind::Empty(self.folder.clone()).into());
            }
            files => files.map_err(failed(&self.folder))?,
        };
        // Each executable is checked once, though a process may have run for each of its tests.
        let (mut current, mut changed) = (BTreeSet::new(), BTreeSet::new());
        for file in files {
            let path = file.map_err(failed(&self.folder))?.path();
            let text = fs::read_to_string(&path).map_err(failed(&path))?;
            let (head, facts) = text.split_once('\n').unwrap_or_default();
            if !current.contains(head) && !changed.contains(head) {
                let known = if is_current(head) {
                    &mut current
                } else {
                    &mut changed
                };
                known.insert(head.to_owned());
            }
            if changed.contains(head) {
                read.stale += 1;
                continue;
            }
            // The last line of a killed process may be incomplete.
            let whole = facts.rfind('\n').map_or("", |end| &facts[..end]);
            for fact in whole.lines().filter_map(Fact::of_line) {
                read.facts.add(fact);
            }
        }
        if current.is_empty() && read.stale == 0 {
            return Err(ErrorKind::Empty(self.folder.clone()).into());
        }
        Ok(read)
    }

    /// Creates the file of this process and writes its first line.
    fn file(&self, executable: &Path) -> Result<File, CoverageError> {
        fs::create_dir_all(&self.folder).map_err(failed(&self.folder))?;
        // A process id may be reused in a long run.
        let name = format!("{}-{:016x}", std::process::id(), fastrand::u64(..));
        let path = self.folder.join(name);
        let head = head(executable).map_err(failed(executable))?;
        let mut options = OpenOptions::new();
        let mut file = options
            .append(true)
            .create_new(true)
            .open(&path)
            .map_err(failed(&path))?;
        file.write_all(head.as_bytes()).map_err(failed(&path))?;
        Ok(file)
    }
}

/// Returns the first line of a file: the executable's current time, size and path.
fn head(executable: &Path) -> io::Result<String> {
    let metadata = executable.metadata()?;
    let modified = metadata.modified()?.duration_since(UNIX_EPOCH);
    let nanos = modified.map_err(io::Error::other)?.as_nanos();
    let mut head = format!("{HEAD}\t{nanos}\t{}\t", metadata.len());
    // Writing to a `String` cannot fail. A path that is not UTF-8 is written with replacement
    // characters, so it names no file and its facts are ignored.
    let _ = writeln!(head, "{}", executable.display());
    Ok(head)
}

/// Returns `true` if the executable of this first line exists unchanged.
fn is_current(line: &str) -> bool {
    let Some(path) = line.split('\t').nth(3) else {
        return false;
    };
    head(Path::new(path)).is_ok_and(|now| now.trim_end_matches('\n') == line)
}

/// The file of this process in a named run.
#[derive(Debug)]
pub(in crate::testing) struct FactsFile(Mutex<State>);

#[derive(Debug)]
struct State {
    file: File,
    written: Facts,
}

impl FactsFile {
    /// Returns the file of this process, if the run has a name. The first call creates it.
    pub(in crate::testing) fn of_process() -> Result<Option<&'static Self>, CoverageError> {
        static FACTS_FILE: OnceLock<FactsFile> = OnceLock::new();
        let Some(run) = Run::of_environment()? else {
            return Ok(None);
        };
        if let Some(written) = FACTS_FILE.get() {
            return Ok(Some(written));
        }
        let executable = std::env::current_exe().map_err(failed(Path::new("the executable")))?;
        let made = Self::new(run.file(&executable)?);
        // Of two threads that race here, one leaves a file without facts.
        Ok(Some(FACTS_FILE.get_or_init(|| made)))
    }

    fn new(file: File) -> Self {
        Self(Mutex::new(State {
            file,
            written: Facts::default(),
        }))
    }

    pub(in crate::testing) fn write_action(&self, action: &str) {
        self.write(Fact::Recorded(action.to_owned()));
    }

    pub(in crate::testing) fn write_request(
        &self,
        method: &Method,
        route: Option<&str>,
        trace: AuditTrace,
        status: StatusCode,
    ) {
        self.write(Fact::completed(method, route, trace, status));
    }

    /// Writes a new fact, in one write and unbuffered: a test process may be killed, and often ends
    /// by `exit`.
    fn write(&self, fact: Fact) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.written.contains(&fact) {
            return;
        }
        match state.file.write_all(fact.to_line().as_bytes()) {
            Ok(()) => drop(state.written.add(fact)),
            // The report will lack the fact and fail: a false alarm, never a false pass.
            Err(error) => tracing::error!("failed to record the coverage of this test: {error}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let path =
            std::env::temp_dir().join(format!("audit-coverage-{}-{name}", std::process::id()));
        // An earlier run may have left it.
        drop(fs::remove_dir_all(&path));
        fs::create_dir_all(&path).unwrap();
        path
    }

    /// Creates a target directory with an executable in it.
    fn target(name: &str) -> (PathBuf, PathBuf) {
        let target = folder(name);
        fs::write(target.join(TARGET_MARK), "").unwrap();
        let executable = target.join("debug/deps/it-0123");
        fs::create_dir_all(executable.parent().unwrap()).unwrap();
        fs::write(&executable, "code").unwrap();
        (target, executable)
    }

    fn run(name: &str, executable: &Path) -> Result<Run, CoverageError> {
        Run::named(Some(name.into()), executable).map(Option::unwrap)
    }

    fn recorded(read: &Read) -> Vec<&Fact> {
        read.facts.iter().collect()
    }

    #[test]
    fn facts_of_several_processes_are_merged() {
        let (target, executable) = target("together");
        let run = run("r1", &executable).unwrap();
        for action in ["a", "b", "a"] {
            let file = FactsFile::new(run.file(&executable).unwrap());
            file.write_action(action);
            file.write_action(action);
        }
        let read = run.read().unwrap();
        let (a, b) = (Fact::Recorded("a".into()), Fact::Recorded("b".into()));
        assert_eq!((recorded(&read), read.stale), (vec![&a, &b], 0));
        let files: Vec<_> = fs::read_dir(target.join("audit-coverage/r1"))
            .unwrap()
            .collect();
        assert_eq!(files.len(), 3);
        fs::remove_dir_all(target).unwrap();
    }

    #[test]
    fn incomplete_last_line_is_ignored() {
        let (target, executable) = target("cut");
        let run = run("r1", &executable).unwrap();
        let mut file = run.file(&executable).unwrap();
        file.write_all(b"recorded\ta\nrecorded\tdocument.del")
            .unwrap();
        let read = run.read().unwrap();
        assert_eq!(recorded(&read), [&Fact::Recorded("a".into())]);
        fs::remove_dir_all(target).unwrap();
    }

    #[test]
    fn facts_of_a_changed_executable_are_ignored() {
        let (target, executable) = target("stale");
        let run = run("r1", &executable).unwrap();
        FactsFile::new(run.file(&executable).unwrap()).write_action("a");
        fs::write(&executable, "other code").unwrap();
        FactsFile::new(run.file(&executable).unwrap()).write_action("b");
        let read = run.read().unwrap();
        assert_eq!(
            (recorded(&read), read.stale),
            (vec![&Fact::Recorded("b".into())], 1)
        );
        fs::remove_file(&executable).unwrap();
        assert_eq!(run.read().unwrap().stale, 2);
        fs::remove_dir_all(target).unwrap();
    }

    #[test]
    fn facts_of_another_run_are_not_read() {
        let (target, executable) = target("other");
        let file = run("r1", &executable).unwrap().file(&executable).unwrap();
        FactsFile::new(file).write_action("a");
        assert!(
            run("r2", &executable)
                .unwrap()
                .read()
                .unwrap_err()
                .is_empty_run()
        );
        fs::remove_dir_all(target).unwrap();
    }

    #[test]
    fn run_requires_a_valid_name_and_a_target_directory() {
        let (target, executable) = target("name");
        for wrong in ["", "..", ".git", "a/b", "a b", &"a".repeat(101)] {
            let message = run(wrong, &executable).err().unwrap().to_string();
            assert!(
                message.starts_with("AUDIT_COVERAGE_RUN has to be"),
                "{wrong}: {message}"
            );
        }
        assert!(Run::named(None, &executable).unwrap().is_none());
        fs::remove_file(target.join(TARGET_MARK)).unwrap();
        let message = run("r1", &executable).err().unwrap().to_string();
        assert!(
            message.starts_with("there is no target directory"),
            "{message}"
        );
        fs::remove_dir_all(target).unwrap();
    }
}

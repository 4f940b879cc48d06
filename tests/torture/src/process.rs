//! A child process, controlled by its parent.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::ledger::Ledger;
use crate::mounts::{done, this};

/// The deadline of every wait; longer than any process takes without faults.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Process {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
    errors: Option<std::thread::JoinHandle<String>>,
}

/// Kills the process, so that none outlives its round.
impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The exit code and the standard error of a process.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) errors: String,
}

impl Process {
    /// Starts this program with the subcommand in `args`. `limit` is the greatest size of a file it
    /// may write, in kibibytes; larger writes fail.
    pub(crate) fn start(
        args: &[&str],
        spool: &Path,
        limit: Option<u32>,
        settings: &[(&str, &Path)],
    ) -> Result<Self, Error> {
        // Ignores the limit's signal, SIGXFSZ; the executed program inherits that.
        let limit = limit
            .map(|kibibytes| format!("ulimit -f {};", kibibytes * 2))
            .unwrap_or_default();
        let mut command = Command::new("sh");
        command
            .args(["-c", &format!("trap '' XFSZ; {limit} exec \"$@\""), "sh"])
            .arg(this()?)
            .args(args)
            .arg("--spool")
            .arg(spool)
            .envs(settings.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().map_err(Error::io("start a process"))?;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let (sender, lines) = channel();
        // Reads continuously, because a full pipe would block the process. Ends with the process.
        std::thread::spawn(move || {
            for line in stdout
                .map(BufReader::new)
                .into_iter()
                .flat_map(BufReader::lines)
            {
                // The last line may be incomplete and is dropped then.
                let Ok(line) = line else { return };
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let errors = std::thread::spawn(move || {
            let mut text = String::new();
            if let Some(mut stderr) = stderr {
                // Unreadable output is dropped.
                drop(stderr.read_to_string(&mut text));
            }
            text
        });
        Ok(Self {
            stdin: child.stdin.take(),
            child,
            lines,
            errors: Some(errors),
        })
    }

    /// Reads output into the ledger until this many lines with the prefix were read. Returns
    /// `false` if the process ended before.
    pub(crate) fn read_until(
        &self,
        ledger: &mut Ledger,
        prefix: &str,
        mut times: usize,
    ) -> Result<bool, Error> {
        let until = Instant::now() + PATIENCE;
        while times > 0 {
            match self
                .lines
                .recv_timeout(until.saturating_duration_since(Instant::now()))
            {
                Ok(line) => {
                    ledger.add_line(&line);
                    times -= usize::from(line.starts_with(prefix));
                }
                Err(RecvTimeoutError::Disconnected) => return Ok(false),
                Err(RecvTimeoutError::Timeout) => {
                    return Err(Error::Other(format!(
                        "a process did not print `{prefix}` within a minute"
                    )));
                }
            }
        }
        Ok(true)
    }

    /// Passes each line of output to a function until the process exits by itself.
    pub(crate) fn read_lines(mut self, on_line: &mut dyn FnMut(&str)) -> Result<Ended, Error> {
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => on_line(&line),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => drop(self.child.kill()),
            }
        }
        self.ended()
    }

    /// Kills the process, and reads the rest of its output.
    pub(crate) fn kill(mut self, ledger: &mut Ledger) -> Result<Ended, Error> {
        self.child.kill().map_err(Error::io("kill a process"))?;
        self.wait(ledger)
    }

    /// Closes its standard input, and reads output until it exits.
    pub(crate) fn end(mut self, ledger: &mut Ledger) -> Result<Ended, Error> {
        drop(self.stdin.take());
        self.wait(ledger)
    }

    /// Reads output until the process exits by itself.
    pub(crate) fn wait(self, ledger: &mut Ledger) -> Result<Ended, Error> {
        self.read_until(ledger, "\0", 1)?;
        self.ended()
    }

    fn ended(mut self) -> Result<Ended, Error> {
        let status = self.child.wait().map_err(Error::io("wait for a process"))?;
        let errors = self.errors.take().and_then(|errors| errors.join().ok());
        let errors = errors.unwrap_or_default();
        Ok(Ended {
            code: status.code(),
            errors: errors.trim().to_owned(),
        })
    }

    /// Makes every write of the process fail, or succeed again.
    pub(crate) fn limit_writes(&self, fail: bool) -> Result<(), Error> {
        let limit = if fail {
            "--fsize=0:"
        } else {
            "--fsize=unlimited:"
        };
        let pid = self.child.id().to_string();
        done(Command::new("prlimit").args(["--pid", &pid, limit]))
    }
}

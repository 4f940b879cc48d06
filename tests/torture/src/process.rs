//! A process that is hurt, as its parent sees it.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use crate::Error;
use crate::ledger::Ledger;
use crate::mounts::{done, this};

/// Longer than any of them takes in peace.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Victim {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
    errors: Option<std::thread::JoinHandle<String>>,
}

/// Whoever stops listening leaves nobody behind.
impl Drop for Victim {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// How a process ended, and what it wrote to its standard error.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) errors: String,
}

impl Victim {
    /// Starts this program as the child of that name. `limit` is the greatest size of a file that
    /// it may write, in kibibytes; writing beyond it fails.
    pub(crate) fn start(
        args: &[&str],
        spool: &Path,
        limit: Option<u32>,
        settings: &[(&str, &Path)],
    ) -> Result<Self, Error> {
        // The signal that comes with the limit is ignored, also by what the shell becomes.
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
        // Read all the time: a full pipe would be violence of another kind. It ends when the
        // process has.
        std::thread::spawn(move || {
            for line in stdout
                .map(BufReader::new)
                .into_iter()
                .flat_map(BufReader::lines)
            {
                // The last line may be half a line, and is no line then.
                let Ok(line) = line else { return };
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let errors = std::thread::spawn(move || {
            let mut text = String::new();
            if let Some(mut stderr) = stderr {
                // What is not readable is not told.
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

    /// Hears the process until it said so many lines that begin so, or came to its end; whether it
    /// said them.
    pub(crate) fn hear(
        &self,
        ledger: &mut Ledger,
        begins: &str,
        mut times: usize,
    ) -> Result<bool, Error> {
        let until = Instant::now() + PATIENCE;
        while times > 0 {
            match self
                .lines
                .recv_timeout(until.saturating_duration_since(Instant::now()))
            {
                Ok(line) => {
                    ledger.hear(&line);
                    times -= usize::from(line.starts_with(begins));
                }
                Err(RecvTimeoutError::Disconnected) => return Ok(false),
                Err(RecvTimeoutError::Timeout) => {
                    return Err(Error::Other(format!(
                        "a process did not say `{begins}` within a minute"
                    )));
                }
            }
        }
        Ok(true)
    }

    /// Gives each line to whoever asks, to the end of the process, which it finds by itself.
    pub(crate) fn listen(mut self, hear: &mut dyn FnMut(&str)) -> Result<Ended, Error> {
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => hear(&line),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => drop(self.child.kill()),
            }
        }
        self.ended()
    }

    /// Kills it, and hears what it had said until then.
    pub(crate) fn kill(mut self, ledger: &mut Ledger) -> Result<Ended, Error> {
        self.child.kill().map_err(Error::io("kill a process"))?;
        self.wait(ledger)
    }

    /// Asks it to end, and hears it to its end.
    pub(crate) fn end(mut self, ledger: &mut Ledger) -> Result<Ended, Error> {
        drop(self.stdin.take());
        self.wait(ledger)
    }

    /// Hears it to its end, which it finds by itself.
    pub(crate) fn wait(self, ledger: &mut Ledger) -> Result<Ended, Error> {
        self.hear(ledger, "\0", 1)?;
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

    /// Lets every write fail from now on, or none any more.
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

//! The error of a chore, and its exit code.

use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;

/// A chore that did not succeed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// A program is missing, or may not be run.
    #[error("start `{command}`")]
    Start { command: String, source: io::Error },
    /// A program ran and failed.
    #[error("`{command}` failed: {status}")]
    Failed { command: String, status: ExitStatus },
    /// A file or directory could not be read or written.
    #[error("{action} {}", path.display())]
    File {
        action: &'static str,
        path: PathBuf,
        source: io::Error,
    },
    /// The chore ran to its end and found a problem.
    #[error("{0}")]
    Finding(String),
}

impl Error {
    pub(crate) fn file(action: &'static str, path: impl Into<PathBuf>, source: io::Error) -> Self {
        Self::File {
            action,
            path: path.into(),
            source,
        }
    }

    /// Returns the exit code of the program that failed, so that a script sees the same as without
    /// xtask; otherwise 1.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Failed { status, .. } => status
                .code()
                .and_then(|code| u8::try_from(code).ok())
                .filter(|code| *code != 0)
                .unwrap_or(1),
            _ => 1,
        }
    }

    /// Returns the message and its causes, on one line.
    pub(crate) fn with_causes(&self) -> String {
        let mut text = self.to_string();
        let mut source = std::error::Error::source(self);
        while let Some(cause) = source {
            // Writing to a String does not fail.
            let _ = write!(text, ": {cause}");
            source = cause.source();
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_follow_the_message() {
        let source = io::Error::new(io::ErrorKind::NotFound, "not there");
        let error = Error::file("read", "a.txt", source);
        assert_eq!(error.with_causes(), "read a.txt: not there");
        assert_eq!(error.exit_code(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn exit_code_is_that_of_the_failed_program() {
        use std::os::unix::process::ExitStatusExt;
        let failed = |raw| Error::Failed {
            command: "x".to_owned(),
            status: ExitStatus::from_raw(raw),
        };
        assert_eq!(failed(101 << 8).exit_code(), 101);
        assert_eq!(failed(9).exit_code(), 1, "killed by a signal");
    }
}

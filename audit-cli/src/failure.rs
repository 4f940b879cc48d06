//! Failures of the command: a message, a help line and an exit code.

use std::borrow::Cow;
use std::error::Error;
use std::io::Write;
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};

/// The failure that ends the command.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    message: String,
    help: Option<Cow<'static, str>>,
    code: u8,
}

impl Failure {
    /// Creates a failure of the operation: exit code 1.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            help: None,
            code: 1,
        }
    }

    /// Creates a failure of arguments or settings: exit code 2, as clap returns it.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self {
            code: 2,
            ..Self::new(message)
        }
    }

    /// Creates a failure of a service or a file: exit code 3.
    ///
    /// For commands whose exit code 1 is a result.
    pub(crate) fn unavailable(message: impl Into<String>) -> Self {
        Self {
            code: 3,
            ..Self::new(message)
        }
    }

    /// Adds a line that explains the remedy.
    pub(crate) fn help(mut self, help: impl Into<Cow<'static, str>>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Appends `error` and its sources to the message.
    pub(crate) fn caused_by(mut self, error: &dyn Error) -> Self {
        let mut next = Some(error);
        while let Some(error) = next {
            self.message.push_str(&format!(": {error}"));
            next = error.source();
        }
        self
    }

    /// Appends only the sources of `error`, whose own text is in the message already.
    pub(crate) fn caused_by_source_of(self, error: &dyn Error) -> Self {
        match error.source() {
            Some(source) => self.caused_by(source),
            None => self,
        }
    }

    /// Prints the failure to the standard error, and returns the exit code.
    pub(crate) fn report(self) -> ExitCode {
        let red = Style::new().bold().fg_color(Some(AnsiColor::Red.into()));
        let bold = Style::new().bold();
        let mut text = format!("{red}error:{red:#} {}\n", self.message);
        if let Some(help) = self.help {
            text.push_str(&format!("{bold}help:{bold:#} {help}\n"));
        }
        // A closed standard error is not reported. The exit code is enough.
        drop(anstream::stderr().write_all(text.as_bytes()));
        ExitCode::from(self.code)
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn sources_follow_the_message() {
        let cause = io::Error::other("no room");
        assert_eq!(
            Failure::new("failed to write").caused_by(&cause).message,
            "failed to write: no room"
        );
        assert_eq!(
            Failure::new("failed to write")
                .caused_by_source_of(&cause)
                .message,
            "failed to write"
        );
    }

    #[test]
    fn each_kind_of_failure_has_its_exit_code() {
        assert_eq!((Failure::new("").code, Failure::usage("").code), (1, 2));
        assert_eq!(Failure::unavailable("").code, 3);
    }
}

//! How the command fails: a sentence, a help line, an exit code.

use std::borrow::Cow;
use std::error::Error;
use std::io::Write;
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};

/// Why the command did not do what it was asked to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    sentence: String,
    help: Option<Cow<'static, str>>,
    code: u8,
}

impl Failure {
    /// It could not be done: exit code 1.
    pub(crate) fn new(sentence: impl Into<String>) -> Self {
        Self {
            sentence: sentence.into(),
            help: None,
            code: 1,
        }
    }

    /// It was not understood: exit code 2, as for every mistake on the command line.
    pub(crate) fn usage(sentence: impl Into<String>) -> Self {
        Self {
            code: 2,
            ..Self::new(sentence)
        }
    }

    /// A service or a file did not do its part, in a command whose exit code 1 is an answer: exit
    /// code 3.
    pub(crate) fn unavailable(sentence: impl Into<String>) -> Self {
        Self {
            code: 3,
            ..Self::new(sentence)
        }
    }

    /// What to do about it.
    pub(crate) fn help(mut self, help: impl Into<Cow<'static, str>>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Appends `error` and what caused it.
    pub(crate) fn caused_by(mut self, error: &dyn Error) -> Self {
        let mut next = Some(error);
        while let Some(error) = next {
            self.sentence.push_str(&format!(": {error}"));
            next = error.source();
        }
        self
    }

    /// As [`caused_by`](Self::caused_by), for an error whose own words are in the sentence already.
    pub(crate) fn caused_by_source_of(self, error: &dyn Error) -> Self {
        match error.source() {
            Some(source) => self.caused_by(source),
            None => self,
        }
    }

    /// Prints it on the standard error, and gives back the exit code.
    pub(crate) fn report(self) -> ExitCode {
        let red = Style::new().bold().fg_color(Some(AnsiColor::Red.into()));
        let bold = Style::new().bold();
        let mut text = format!("{red}error:{red:#} {}\n", self.sentence);
        if let Some(help) = self.help {
            text.push_str(&format!("{bold}help:{bold:#} {help}\n"));
        }
        // There is nobody left to tell that the standard error is closed; the exit code says
        // enough.
        drop(anstream::stderr().write_all(text.as_bytes()));
        ExitCode::from(self.code)
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn causes_follow_the_sentence() {
        let cause = io::Error::other("no room");
        assert_eq!(
            Failure::new("failed to write").caused_by(&cause).sentence,
            "failed to write: no room"
        );
        assert_eq!(
            Failure::new("failed to write")
                .caused_by_source_of(&cause)
                .sentence,
            "failed to write"
        );
    }

    #[test]
    fn usage_has_an_exit_code_of_its_own() {
        assert_eq!((Failure::new("").code, Failure::usage("").code), (1, 2));
        assert_eq!(Failure::unavailable("").code, 3);
    }
}

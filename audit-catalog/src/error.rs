//! The errors of a catalog or its lock, with their positions.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// The error of reading a catalog or its lock.
///
/// Displayed as one line per mistake, `path:line:column: problem; remedy`, in the order of the
/// file.
// `Display` and `Error` are written by hand: every macro expansion waits for this crate, and a
// derive would make it wait for another proc-macro crate.
#[derive(Debug)]
pub struct CatalogError {
    path: PathBuf,
    kind: ErrorKind,
}

#[derive(Debug)]
enum ErrorKind {
    Unreadable(io::Error),
    Invalid(Vec<Mistake>),
}

impl CatalogError {
    pub(crate) fn unreadable(path: &Path, source: io::Error) -> Self {
        Self {
            path: path.to_owned(),
            kind: ErrorKind::Unreadable(source),
        }
    }

    pub(crate) fn invalid(path: &Path, mut mistakes: Vec<Mistake>) -> Self {
        mistakes.sort_by_key(|mistake| (mistake.line, mistake.column));
        Self {
            path: path.to_owned(),
            kind: ErrorKind::Invalid(mistakes),
        }
    }

    /// Returns the path as given to [`Catalog::read`](crate::Catalog::read),
    /// [`Catalog::parse`](crate::Catalog::parse), or those of [`Lock`](crate::Lock).
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns `true` if the file does not exist, and `false` if it is unreadable or has mistakes.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(&self.kind, ErrorKind::Unreadable(error) if error.kind() == io::ErrorKind::NotFound)
    }

    /// Returns the mistakes in the order of the file; empty if the file could not be read.
    #[must_use]
    pub fn mistakes(&self) -> &[Mistake] {
        match &self.kind {
            ErrorKind::Invalid(mistakes) => mistakes,
            ErrorKind::Unreadable(_) => &[],
        }
    }
}

impl fmt::Display for CatalogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match &self.kind {
            ErrorKind::Unreadable(_) => write!(f, "read {path}"),
            ErrorKind::Invalid(mistakes) => {
                for (index, mistake) in mistakes.iter().enumerate() {
                    let newline = if index == 0 { "" } else { "\n" };
                    write!(f, "{newline}{path}:{mistake}")?;
                }
                Ok(())
            }
        }
    }
}

impl std::error::Error for CatalogError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.kind {
            ErrorKind::Unreadable(error) => Some(error),
            ErrorKind::Invalid(_) => None,
        }
    }
}

/// One mistake in the text of a catalog or lock, displayed as `line:column: message`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    line: usize,
    column: usize,
    message: String,
}

impl Mistake {
    /// Creates a mistake at a byte offset of the text; an offset past the end counts as the end.
    pub(crate) fn new(text: &str, offset: usize, message: impl Into<String>) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            message: message.into(),
        }
    }

    /// Returns the line, counted from 1.
    #[must_use]
    pub fn line(&self) -> usize {
        self.line
    }

    /// Returns the column in characters (Unicode scalar values), counted from 1.
    #[must_use]
    pub fn column(&self) -> usize {
        self.column
    }

    /// Returns the problem and its remedy.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Catalog;

    #[test]
    fn lines_and_columns_count_from_one_and_in_characters() {
        let text = "a\näöx";
        let at = |offset| {
            let mistake = Mistake::new(text, offset, "");
            (mistake.line(), mistake.column())
        };
        assert_eq!(at(0), (1, 1));
        assert_eq!(at(1), (1, 2));
        assert_eq!(at(2), (2, 1));
        assert_eq!(at(6), (2, 3));
        assert_eq!(at(7), (2, 4));
        assert_eq!(at(700), (2, 4));
    }

    #[test]
    fn a_missing_file_is_not_found_and_keeps_its_source() {
        let error = Catalog::read("no/such/audit.toml").unwrap_err();
        assert!(error.is_not_found());
        assert!(error.mistakes().is_empty());
        assert_eq!(error.to_string(), "read no/such/audit.toml");
        assert!(std::error::Error::source(&error).is_some());
    }
}

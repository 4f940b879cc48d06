//! The subcommands that change dead letters: `purge` and `redrive`.

use audit_core::SpoolFile;
use serde_json::json;

use super::common::{Options, dead_letters, failure};
use crate::failure::Failure;
use crate::terminal::{confirm, is_interactive, print, sanitize};

/// The dead letters that a command applies to.
#[derive(Debug)]
pub(crate) enum Selection {
    All,
    Rows(Vec<i64>),
}

impl Selection {
    /// Returns the maximum number of selected dead letters.
    fn count(&self, file: &SpoolFile) -> Result<u64, Failure> {
        match self {
            Self::All => Ok(file.status().map_err(|error| failure(&error))?.dead),
            Self::Rows(rows) => Ok(rows.len() as u64),
        }
    }
}

/// Deletes dead letters, also while the service runs.
pub(crate) fn purge(options: &Options, selection: &Selection, yes: bool) -> Result<(), Failure> {
    if !yes && (options.json || !is_interactive()) {
        return Err(Failure::usage(
            "a purge needs confirmation, and there is no terminal to ask on",
        )
        .help("add `--yes` to delete the dead letters without confirmation"));
    }
    let file = options.open()?;
    if !yes {
        let question = format!(
            "Delete {} of {}? This cannot be undone.",
            dead_letters(selection.count(&file)?),
            sanitize(&options.file.to_string_lossy())
        );
        let confirmed = confirm(&question)
            .map_err(|error| Failure::unavailable("failed to read the answer").caused_by(&error))?;
        if !confirmed {
            return Err(Failure::new("nothing was purged"));
        }
    }
    let purged = match selection {
        Selection::All => file.purge_all(),
        Selection::Rows(rows) => file.purge(rows),
    };
    let purged = purged.map_err(|error| failure(&error))?;
    print(|out| {
        if options.json {
            return writeln!(out, "{}", json!({ "purged": purged }));
        }
        writeln!(out, "deleted {}", dead_letters(purged))
    });
    Ok(())
}

/// Marks dead letters as pending, or requests that from the service that has the file open.
pub(crate) fn redrive(options: &Options, selection: &Selection) -> Result<(), Failure> {
    let file = options.open()?;
    let redriven = match selection {
        Selection::All => file.redrive_all(),
        Selection::Rows(rows) => file.redrive(rows),
    };
    let redriven = redriven.map_err(|error| failure(&error))?;
    print(|out| {
        let count = redriven.dead_letters;
        let counted = dead_letters(count);
        if options.json {
            let object = json!({ "redriven": count, "by_service": redriven.is_requested });
            return writeln!(out, "{object}");
        }
        match (count, redriven.is_requested) {
            (0, _) => writeln!(out, "no such dead letters"),
            (_, true) => writeln!(
                out,
                "requested the running service to send {counted} again; it checks for requests every second"
            ),
            (_, false) => writeln!(
                out,
                "marked {counted} as pending; the service delivers them at its next start"
            ),
        }
    });
    Ok(())
}

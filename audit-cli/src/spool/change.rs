//! `purge` and `redrive`.

use audit_core::SpoolFile;
use serde_json::json;

use super::{Place, failed, letters};
use crate::failure::Failure;
use crate::terminal::{agrees_to, can_ask, plain, print};

/// Which dead letters.
#[derive(Debug)]
pub(crate) enum Letters {
    All,
    Rows(Vec<i64>),
}

impl Letters {
    /// How many are meant, at most.
    fn count(&self, file: &SpoolFile) -> Result<u64, Failure> {
        match self {
            Self::All => Ok(file.status().map_err(|error| failed(&error))?.dead),
            Self::Rows(rows) => Ok(rows.len() as u64),
        }
    }
}

/// Forgets dead letters, also while the service runs.
pub(crate) fn purge(place: &Place, which: &Letters, yes: bool) -> Result<(), Failure> {
    if !yes && (place.json || !can_ask()) {
        return Err(Failure::usage("there is nobody to ask whether to purge")
            .help("add `--yes` to forget the dead letters without being asked"));
    }
    let file = place.open()?;
    if !yes {
        let question = format!(
            "Forget {} of {}? It cannot be undone.",
            letters(which.count(&file)?),
            plain(&place.file.to_string_lossy())
        );
        let agreed = agrees_to(&question)
            .map_err(|error| Failure::unavailable("failed to read the answer").caused_by(&error))?;
        if !agreed {
            return Err(Failure::new("nothing was purged"));
        }
    }
    let purged = match which {
        Letters::All => file.purge_all(),
        Letters::Rows(rows) => file.purge(rows),
    };
    let purged = purged.map_err(|error| failed(&error))?;
    print(|out| {
        if place.json {
            return writeln!(out, "{}", json!({ "purged": purged }));
        }
        writeln!(out, "forgot {}", letters(purged))
    });
    Ok(())
}

/// Makes dead letters pending again, or asks the service that has the file open to do it.
pub(crate) fn redrive(place: &Place, which: &Letters) -> Result<(), Failure> {
    let file = place.open()?;
    let redriven = match which {
        Letters::All => file.redrive_all(),
        Letters::Rows(rows) => file.redrive(rows),
    };
    let redriven = redriven.map_err(|error| failed(&error))?;
    print(|out| {
        let count = redriven.letters;
        let said = letters(count);
        if place.json {
            let told = json!({ "redriven": count, "by_service": redriven.is_asked });
            return writeln!(out, "{told}");
        }
        match (count, redriven.is_asked) {
            (0, _) => writeln!(out, "there are no such dead letters"),
            (_, true) => writeln!(
                out,
                "asked the service that has the spool open to send {said} again; it looks every second"
            ),
            (_, false) => writeln!(
                out,
                "made {said} pending again; the service delivers when it starts"
            ),
        }
    });
    Ok(())
}

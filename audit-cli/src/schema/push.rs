//! `push`: registers what is new or changed, and notes each version at once.

use std::io::{self, Write};
use std::num::NonZeroU32;

use audit_catalog::{Fingerprint, Plan, PlannedAction};
use serde_json::json;

use super::Place;
use super::compare::{compare, head, push_command};
use super::files::Files;
use super::remote::Service;
use super::text;
use crate::failure::Failure;
use crate::terminal::{agrees_to, can_ask, plain, print};

/// Whether the user agrees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Consent {
    /// Has to be asked.
    Ask,
    /// Has said so.
    Given,
    /// Wants to see it only.
    DryRun,
}

/// Makes the service and the lock agree with the catalog.
///
/// A schema cannot be deleted, and each registration makes a version. So each version is in the
/// lock before the next is asked for; a push that was interrupted goes on where it stopped, and one
/// whose answer was lost is found again.
pub(crate) fn push(place: &Place, consent: Consent) -> Result<(), Failure> {
    if consent == Consent::Ask && (place.json || !can_ask()) {
        return Err(
            Failure::usage("there is nobody to ask whether to push").help(
                "add `--yes` to push without being asked, or `--dry-run` to see what would be done",
            ),
        );
    }
    let mut files = Files::read(place.catalog.as_deref())?;
    let service = Service::from_env()?;
    let plan = compare(&files, &service, place)?;
    if !place.json {
        print(|out| {
            head(out, &files, place, Some(service.url()))?;
            text::plan(out, &plan, false)?;
            text::consequences(out, &plan)
        });
    }
    if consent == Consent::Ask && !plan.is_in_sync() && !asked(&plan, place)? {
        return Err(Failure::new("nothing was pushed"));
    }
    let mut pushed = Pushed::default();
    let outcome = if consent == Consent::DryRun {
        Ok(())
    } else {
        carry_out(&plan, &mut files, &service, place, &mut pushed)
    };
    if place.json {
        // Also after a failure: what was registered cannot be taken back, and a program has to
        // know.
        let versions: Vec<_> = pushed
            .versions
            .iter()
            .map(|(action, version)| json!({ "action": action, "version": version }))
            .collect();
        let mut object = super::json::plan(&plan, &files, Some(service.url()));
        object["dry_run"] = (consent == Consent::DryRun).into();
        object["pushed"] = versions.into();
        object["catalog_touched"] = pushed.touched.into();
        print(|out| writeln!(out, "{object}"));
    }
    outcome
}

#[derive(Debug, Default)]
struct Pushed {
    versions: Vec<(String, NonZeroU32)>,
    touched: bool,
}

fn carry_out(
    plan: &Plan,
    files: &mut Files,
    service: &Service,
    place: &Place,
    pushed: &mut Pushed,
) -> Result<(), Failure> {
    if plan.settle(&mut files.lock) {
        pushed.touched |= files.write_lock()?;
    }
    let wanted: Vec<_> = plan
        .actions()
        .iter()
        .filter(|action| action.needs_push())
        .collect();
    for (index, action) in wanted.iter().enumerate() {
        let name = action.name();
        let (version, kept) = service.create(name, action.schema()).map_err(|failure| {
            let again = push_command(place);
            failure.help(format!(
                "{index} of {} were registered and are in audit.lock; run `{again}` again to go on",
                wanted.len()
            ))
        })?;
        files
            .lock
            .set(&*place.environment, name, version, action.fingerprint());
        pushed.touched |= files.write_lock()?;
        pushed.versions.push((name.to_owned(), version));
        if !place.json {
            let of = wanted.len();
            print(|out| writeln!(out, "[{}/{of}] registered {name} v{version}", index + 1));
        }
        warn_of_another_form(action, &kept);
    }
    if !place.json {
        print(|out| report(out, plan, files, pushed));
    }
    Ok(())
}

/// A service that keeps a schema in another form would be reported by every later `check`.
fn warn_of_another_form(action: &PlannedAction, kept: &serde_json::Value) {
    if Fingerprint::of_schema(kept) != action.fingerprint() {
        let name = action.name();
        let text = format!(
            "warning: the service keeps another schema of {name} than was sent; `audited schema diff` shows it\n"
        );
        // There is nobody to tell if the standard error is closed.
        drop(anstream::stderr().write_all(text.as_bytes()));
    }
}

fn report(out: &mut dyn Write, plan: &Plan, files: &Files, pushed: &Pushed) -> io::Result<()> {
    if plan.is_in_sync() {
        return writeln!(out, "nothing to push");
    }
    writeln!(out, "wrote {}; commit it", files.lock_path.display())?;
    if pushed.touched {
        let catalog = files.catalog_path.display();
        writeln!(
            out,
            "touched {catalog}, so that the next build embeds the new lock"
        )?;
    }
    Ok(())
}

fn asked(plan: &Plan, place: &Place) -> Result<bool, Failure> {
    let count = plan
        .actions()
        .iter()
        .filter(|action| action.needs_push())
        .count();
    let environment = plain(&place.environment);
    let question = if count == 0 {
        "Write audit.lock?".to_owned()
    } else {
        format!("Register {count} in {environment}? It cannot be undone.")
    };
    agrees_to(&question)
        .map_err(|error| Failure::unavailable("failed to read the answer").caused_by(&error))
}

//! The subcommand `push`: registers new and changed schemas, and records each version at once.

use std::io::{self, Write};
use std::num::NonZeroU32;

use audit_catalog::{Fingerprint, Plan, PlannedAction};
use serde_json::json;

use super::compare::{compare, head, push_command};
use super::files::Files;
use super::options::Options;
use super::remote::Service;
use super::text;
use crate::failure::Failure;
use crate::terminal::{confirm, is_interactive, print, sanitize};

/// The confirmation of the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Consent {
    /// Ask for it.
    Ask,
    /// Given by `--yes`.
    Given,
    /// Not needed, since nothing is registered.
    DryRun,
}

/// Makes the service and the lock agree with the catalog.
///
/// A schema cannot be deleted, and each registration creates a version. So each version is written
/// to the lock before the next registration. An interrupted push continues where it stopped, and a
/// version whose response was lost is found again.
pub(crate) fn push(options: &Options, consent: Consent) -> Result<(), Failure> {
    if consent == Consent::Ask && (options.json || !is_interactive()) {
        return Err(Failure::usage(
            "a push needs confirmation, and there is no terminal to ask on",
        )
        .help("add `--yes` to push without confirmation, or `--dry-run` to see the changes"));
    }
    let mut files = Files::read(options.catalog.as_deref())?;
    let service = Service::from_env()?;
    let plan = compare(&files, &service, options)?;
    if !options.json {
        print(|out| {
            head(out, &files, options, Some(service.url()))?;
            text::plan(out, &plan, false)?;
            text::consequences(out, &plan)
        });
    }
    if consent == Consent::Ask && !plan.is_in_sync() && !is_confirmed(&plan, options)? {
        return Err(Failure::new("nothing was pushed"));
    }
    let mut pushed = Pushed::default();
    let outcome = if consent == Consent::DryRun {
        Ok(())
    } else {
        register(&plan, &mut files, &service, options, &mut pushed)
    };
    if options.json {
        // Printed after a failure too, since a program needs the versions that were registered.
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

/// The result of a push so far.
#[derive(Debug, Default)]
struct Pushed {
    versions: Vec<(String, NonZeroU32)>,
    touched: bool,
}

/// Registers the schemas that are missing, and writes the lock after each.
fn register(
    plan: &Plan,
    files: &mut Files,
    service: &Service,
    options: &Options,
    pushed: &mut Pushed,
) -> Result<(), Failure> {
    if plan.update_lock(&mut files.lock) {
        pushed.touched |= files.write_lock()?;
    }
    let wanted: Vec<_> = plan
        .actions()
        .iter()
        .filter(|action| action.needs_push())
        .collect();
    for (index, action) in wanted.iter().enumerate() {
        let name = action.name();
        let (version, stored) = service.create(name, action.schema()).map_err(|failure| {
            let again = push_command(options);
            failure.help(format!(
                "{index} of {} were registered and are in audit.lock; run `{again}` again to continue",
                wanted.len()
            ))
        })?;
        files
            .lock
            .set(&*options.environment, name, version, action.fingerprint());
        pushed.touched |= files.write_lock()?;
        pushed.versions.push((name.to_owned(), version));
        if !options.json {
            let of = wanted.len();
            print(|out| writeln!(out, "[{}/{of}] registered {name} v{version}", index + 1));
        }
        warn_if_stored_differently(action, &stored);
    }
    if !options.json {
        print(|out| report(out, plan, files, pushed));
    }
    Ok(())
}

/// Warns if the service stored another schema than was sent, which every later `check` reports.
fn warn_if_stored_differently(action: &PlannedAction, stored: &serde_json::Value) {
    if Fingerprint::of_schema(stored) != action.fingerprint() {
        let name = action.name();
        let text = format!(
            "warning: the service stored a schema of {name} that differs from the one sent; see `audited schema diff`\n"
        );
        // A closed standard error is not reported.
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

fn is_confirmed(plan: &Plan, options: &Options) -> Result<bool, Failure> {
    let count = plan
        .actions()
        .iter()
        .filter(|action| action.needs_push())
        .count();
    let environment = sanitize(&options.environment);
    let question = if count == 0 {
        "Write audit.lock?".to_owned()
    } else {
        format!("Register {count} in {environment}? This cannot be undone.")
    };
    confirm(&question)
        .map_err(|error| Failure::unavailable("failed to read the answer").caused_by(&error))
}

//! `diff` shows, `check` judges.

use audit_catalog::Plan;

use super::Place;
use super::files::Files;
use super::json;
use super::remote::Service;
use super::text;
use crate::failure::Failure;
use crate::terminal::{plain, print};

/// Shows each action beside what the service has.
pub(crate) fn diff(place: &Place) -> Result<(), Failure> {
    let files = Files::read(place.catalog.as_deref())?;
    let service = Service::from_env()?;
    let plan = compare(&files, &service, place)?;
    print(|out| {
        if place.json {
            return writeln!(out, "{}", json::plan(&plan, &files, Some(service.url())));
        }
        head(out, &files, place, Some(service.url()))?;
        text::plan(out, &plan, true)
    });
    Ok(())
}

/// Fails where something would have to be pushed.
pub(crate) fn check(place: &Place, offline: bool) -> Result<(), Failure> {
    let files = Files::read(place.catalog.as_deref())?;
    let (plan, url) = if offline {
        (
            Plan::offline(&files.catalog, &files.lock, &place.environment),
            None,
        )
    } else {
        let service = Service::from_env()?;
        let plan = compare(&files, &service, place)?;
        (plan, Some(service.url().to_owned()))
    };
    print(|out| {
        if place.json {
            return writeln!(out, "{}", json::plan(&plan, &files, url.as_deref()));
        }
        head(out, &files, place, url.as_deref())?;
        text::plan(out, &plan, false)
    });
    if plan.is_in_sync() {
        return Ok(());
    }
    let push = push_command(place);
    Err(Failure::new(format!(
        "catalog, audit.lock and {} do not agree",
        place.environment
    ))
    .help(format!(
        "run `{push}` with the key of {}, and commit audit.lock",
        place.environment
    )))
}

pub(super) fn compare(files: &Files, service: &Service, place: &Place) -> Result<Plan, Failure> {
    let remote = service.read(&files.catalog, &files.lock, &place.environment)?;
    Ok(Plan::new(
        &files.catalog,
        &files.lock,
        &place.environment,
        &remote,
    ))
}

pub(super) fn head(
    out: &mut dyn std::io::Write,
    files: &Files,
    place: &Place,
    url: Option<&str>,
) -> std::io::Result<()> {
    let catalog = files.catalog_path.display();
    let environment = plain(&place.environment);
    match url {
        Some(url) => writeln!(out, "{catalog} against {environment} at {url}"),
        None => writeln!(
            out,
            "{catalog} against {environment} in {}",
            files.lock_path.display()
        ),
    }
}

/// What to type to push to the same place.
pub(super) fn push_command(place: &Place) -> String {
    let mut command = format!("audited schema push --environment {}", place.environment);
    if let Some(catalog) = &place.catalog {
        command += &format!(" --catalog {}", catalog.display());
    }
    command
}

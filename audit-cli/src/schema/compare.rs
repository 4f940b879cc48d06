//! The subcommands that only compare: `diff` and `check`.

use audit_catalog::Plan;

use super::files::Files;
use super::json;
use super::options::Options;
use super::remote::Service;
use super::text;
use crate::failure::Failure;
use crate::terminal::{print, sanitize};

/// Prints how each action differs from the service.
pub(crate) fn diff(options: &Options) -> Result<(), Failure> {
    let files = Files::read(options.catalog.as_deref())?;
    let service = Service::from_env()?;
    let plan = compare(&files, &service, options)?;
    print(|out| {
        if options.json {
            return writeln!(out, "{}", json::plan(&plan, &files, Some(service.url())));
        }
        head(out, &files, options, Some(service.url()))?;
        text::plan(out, &plan, true)
    });
    Ok(())
}

/// Fails if a push is needed.
pub(crate) fn check(options: &Options, offline: bool) -> Result<(), Failure> {
    let files = Files::read(options.catalog.as_deref())?;
    let (plan, url) = if offline {
        (
            Plan::offline(&files.catalog, &files.lock, &options.environment),
            None,
        )
    } else {
        let service = Service::from_env()?;
        let plan = compare(&files, &service, options)?;
        (plan, Some(service.url().to_owned()))
    };
    print(|out| {
        if options.json {
            return writeln!(out, "{}", json::plan(&plan, &files, url.as_deref()));
        }
        head(out, &files, options, url.as_deref())?;
        text::plan(out, &plan, false)
    });
    if plan.is_in_sync() {
        return Ok(());
    }
    let push = push_command(options);
    Err(Failure::new(format!(
        "catalog, audit.lock and {} differ",
        options.environment
    ))
    .help(format!(
        "run `{push}` with the key of {}, and commit audit.lock",
        options.environment
    )))
}

/// Reads the schemas of the service and compares them with catalog and lock.
pub(super) fn compare(
    files: &Files,
    service: &Service,
    options: &Options,
) -> Result<Plan, Failure> {
    let remote = service.read(&files.catalog, &files.lock, &options.environment)?;
    Ok(Plan::new(
        &files.catalog,
        &files.lock,
        &options.environment,
        &remote,
    ))
}

/// Prints the first line: the compared catalog, environment and service or lock.
pub(super) fn head(
    out: &mut dyn std::io::Write,
    files: &Files,
    options: &Options,
    url: Option<&str>,
) -> std::io::Result<()> {
    let catalog = files.catalog_path.display();
    let environment = sanitize(&options.environment);
    match url {
        Some(url) => writeln!(out, "{catalog} compared with {environment} at {url}"),
        None => writeln!(
            out,
            "{catalog} compared with {environment} in {}",
            files.lock_path.display()
        ),
    }
}

/// Returns the command line of a push with the same options.
pub(super) fn push_command(options: &Options) -> String {
    let mut command = format!("audited schema push --environment {}", options.environment);
    if let Some(catalog) = &options.catalog {
        command += &format!(" --catalog {}", catalog.display());
    }
    command
}

//! The subcommands that only read: `status`, `dead` and `verify`.

use std::io::{self, Write};
use std::time::SystemTime;

use anstyle::{AnsiColor, Style};
use audit_core::{SpoolFileStatus, SpooledDeadLetter};
use humantime::format_rfc3339_millis;
use serde_json::{Value, json};

use super::common::{Options, dead_letters, failure};
use crate::failure::Failure;
use crate::terminal::{print, sanitize};

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const YELLOW: Style = Style::new().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Yellow)));
/// Number of dead letters that are read at a time.
const PAGE: usize = 256;

/// Prints the counts of the file.
pub(crate) fn status(options: &Options) -> Result<(), Failure> {
    let status = options.open()?.status().map_err(|error| failure(&error))?;
    print(|out| {
        if options.json {
            return writeln!(out, "{}", status_object(options, &status));
        }
        status_text(out, options, &status)
    });
    Ok(())
}

fn status_object(options: &Options, status: &SpoolFileStatus) -> Value {
    json!({
        "spool": options.file.to_string_lossy(),
        "layout": status.layout,
        "in_use": status.in_use,
        "pending": status.durable + status.best_effort,
        "durable": status.durable,
        "best_effort": status.best_effort,
        "pending_bytes": status.pending_bytes,
        "oldest": status.oldest.map(time),
        "dead": status.dead,
        "dead_bytes": status.dead_bytes,
        "dead_dropped": status.dead_dropped,
        "corrupt_rows": status.corrupt_rows,
        "lost": status.lost,
        "is_loss_unknown": status.is_loss_unknown,
    })
}

fn status_text(out: &mut dyn Write, options: &Options, status: &SpoolFileStatus) -> io::Result<()> {
    let usage = if status.in_use {
        "in use by a service"
    } else {
        "not in use"
    };
    writeln!(
        out,
        "{BOLD}{}{BOLD:#}  {DIM}layout {}, {usage}{DIM:#}",
        sanitize(&options.file.to_string_lossy()),
        status.layout
    )?;
    writeln!(
        out,
        "pending       {}  {DIM}{} durable, {} best effort; {} bytes{DIM:#}",
        status.durable + status.best_effort,
        status.durable,
        status.best_effort,
        status.pending_bytes
    )?;
    if let Some(oldest) = status.oldest {
        writeln!(out, "oldest        {}", time(oldest))?;
    }
    let style = count_style(status.dead);
    writeln!(
        out,
        "dead letters  {style}{}{style:#}  {DIM}{} bytes{DIM:#}",
        status.dead, status.dead_bytes
    )?;
    for (count, what) in [
        (
            status.dead_dropped,
            "dead letters were dropped for newer ones",
        ),
        (status.corrupt_rows, "rows became unreadable"),
        (status.lost, "events were lost because the file was corrupt"),
    ] {
        if count > 0 {
            writeln!(
                out,
                "{YELLOW}{count}{YELLOW:#} {what} since the file was created"
            )?;
        }
    }
    if status.is_loss_unknown {
        writeln!(
            out,
            "{YELLOW}an unknown number{YELLOW:#} of events was lost because the file was corrupt; the quarantined file beside it has what is left of them"
        )?;
    }
    Ok(())
}

fn count_style(count: u64) -> Style {
    if count > 0 { YELLOW } else { Style::new() }
}

/// Lists dead letters, a page at a time. Of the events it prints only id, action and organization.
pub(crate) fn dead(options: &Options) -> Result<(), Failure> {
    let file = options.open()?;
    let (mut after, mut count) = (0, 0);
    loop {
        let page = file
            .dead_letters(after, PAGE)
            .map_err(|error| failure(&error))?;
        let Some(last) = page.last() else { break };
        after = last.row;
        count += page.len() as u64;
        let mut written = Ok(());
        print(|out| {
            written = page.iter().try_for_each(|dead_letter| {
                if options.json {
                    writeln!(out, "{}", dead_letter_object(dead_letter))
                } else {
                    dead_letter_text(out, dead_letter)
                }
            });
            Ok(())
        });
        if written.is_err() {
            // The reader has closed the output, as `head` does.
            return Ok(());
        }
    }
    if !options.json {
        print(|out| writeln!(out, "{}", dead_letters(count)));
    }
    Ok(())
}

fn dead_letter_object(dead_letter: &SpooledDeadLetter) -> Value {
    json!({
        "row": dead_letter.row,
        "id": dead_letter.event.id().to_string(),
        "action": dead_letter.event.action(),
        "organization": dead_letter.event.organization(),
        "reason": dead_letter.fault,
        "refused_at": time(dead_letter.rejected_at),
    })
}

fn dead_letter_text(out: &mut dyn Write, dead_letter: &SpooledDeadLetter) -> io::Result<()> {
    let event = &dead_letter.event;
    writeln!(
        out,
        "{BOLD}{}{BOLD:#}  {}  {}  {}  {DIM}{}{DIM:#}",
        dead_letter.row,
        time(dead_letter.rejected_at),
        sanitize(event.action()),
        sanitize(event.organization().unwrap_or("no organization")),
        event.id()
    )?;
    writeln!(
        out,
        "    {YELLOW}{}{YELLOW:#}",
        sanitize(&dead_letter.fault)
    )
}

/// Reads the whole file, and fails if it is corrupt.
pub(crate) fn verify(options: &Options) -> Result<(), Failure> {
    let check = options.open()?.verify().map_err(|error| failure(&error))?;
    print(|out| {
        if options.json {
            let object = json!({
                "spool": options.file.to_string_lossy(),
                "intact": check.is_intact(),
                "events": check.events,
                "corrupt_rows": check.corrupt_rows,
                "findings": check.findings,
            });
            return writeln!(out, "{object}");
        }
        for finding in &check.findings {
            writeln!(out, "{YELLOW}{}{YELLOW:#}", sanitize(finding))?;
        }
        writeln!(
            out,
            "events read: {}, unreadable rows: {}",
            check.events, check.corrupt_rows
        )
    });
    if check.is_intact() {
        return Ok(());
    }
    Err(Failure::new("the spool is corrupt").help(
        "a service keeps every readable event when it starts, and quarantines a file that it cannot use; `audited spool purge --all` also deletes unreadable dead letters",
    ))
}

fn time(time: SystemTime) -> String {
    format_rfc3339_millis(time).to_string()
}

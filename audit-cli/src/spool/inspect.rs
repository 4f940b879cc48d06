//! `status`, `dead` and `verify`: nothing is changed.

use std::io::{self, Write};
use std::time::SystemTime;

use anstyle::{AnsiColor, Style};
use audit_core::{SpoolFileStatus, SpooledLetter};
use humantime::format_rfc3339_millis;
use serde_json::{Value, json};

use super::{Place, failed, letters};
use crate::failure::Failure;
use crate::terminal::{plain, print};

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const YELLOW: Style = Style::new().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Yellow)));
/// Letters that are read at a time.
const PAGE: usize = 256;

/// Shows what waits in the file.
pub(crate) fn status(place: &Place) -> Result<(), Failure> {
    let status = place.open()?.status().map_err(|error| failed(&error))?;
    print(|out| {
        if place.json {
            return writeln!(out, "{}", status_object(place, &status));
        }
        status_text(out, place, &status)
    });
    Ok(())
}

fn status_object(place: &Place, status: &SpoolFileStatus) -> Value {
    json!({
        "spool": place.file.to_string_lossy(),
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
        "damaged": status.damaged,
    })
}

fn status_text(out: &mut dyn Write, place: &Place, status: &SpoolFileStatus) -> io::Result<()> {
    let used = if status.in_use {
        "in use by a service"
    } else {
        "no service has it open"
    };
    writeln!(
        out,
        "{BOLD}{}{BOLD:#}  {DIM}layout {}, {used}{DIM:#}",
        plain(&place.file.to_string_lossy()),
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
    let style = warn_of(status.dead);
    writeln!(
        out,
        "dead letters  {style}{}{style:#}  {DIM}{} bytes{DIM:#}",
        status.dead, status.dead_bytes
    )?;
    for (count, what) in [
        (status.dead_dropped, "dead letters made room for newer ones"),
        (status.damaged, "rows could not be read any more"),
    ] {
        if count > 0 {
            writeln!(
                out,
                "{YELLOW}{count}{YELLOW:#} {what}, since the file was made"
            )?;
        }
    }
    Ok(())
}

fn warn_of(count: u64) -> Style {
    if count > 0 { YELLOW } else { Style::new() }
}

/// Lists dead letters, a page at a time, and nothing of what the events say beyond action and
/// organization.
pub(crate) fn dead(place: &Place) -> Result<(), Failure> {
    let file = place.open()?;
    let (mut after, mut count) = (0, 0);
    loop {
        let page = file
            .dead_letters(after, PAGE)
            .map_err(|error| failed(&error))?;
        let Some(last) = page.last() else { break };
        after = last.row;
        count += page.len() as u64;
        let mut written = Ok(());
        print(|out| {
            written = page.iter().try_for_each(|letter| {
                if place.json {
                    writeln!(out, "{}", letter_object(letter))
                } else {
                    letter_text(out, letter)
                }
            });
            Ok(())
        });
        if written.is_err() {
            // Nobody reads any more, as behind `head`.
            return Ok(());
        }
    }
    if !place.json {
        print(|out| writeln!(out, "{}", letters(count)));
    }
    Ok(())
}

fn letter_object(letter: &SpooledLetter) -> Value {
    json!({
        "row": letter.row,
        "id": letter.event.id().to_string(),
        "action": letter.event.action(),
        "organization": letter.event.organization(),
        "reason": letter.fault,
        "refused_at": time(letter.buried_at),
    })
}

fn letter_text(out: &mut dyn Write, letter: &SpooledLetter) -> io::Result<()> {
    let event = &letter.event;
    writeln!(
        out,
        "{BOLD}{}{BOLD:#}  {}  {}  {}  {DIM}{}{DIM:#}",
        letter.row,
        time(letter.buried_at),
        plain(event.action()),
        plain(event.organization().unwrap_or("no organization")),
        event.id()
    )?;
    writeln!(out, "    {YELLOW}{}{YELLOW:#}", plain(&letter.fault))
}

/// Reads all of the file; fails where something is wrong with it.
pub(crate) fn verify(place: &Place) -> Result<(), Failure> {
    let check = place.open()?.verify().map_err(|error| failed(&error))?;
    print(|out| {
        if place.json {
            let object = json!({
                "spool": place.file.to_string_lossy(),
                "whole": check.is_whole(),
                "events": check.events,
                "damaged": check.damaged,
                "findings": check.findings,
            });
            return writeln!(out, "{object}");
        }
        for finding in &check.findings {
            writeln!(out, "{YELLOW}{}{YELLOW:#}", plain(finding))?;
        }
        writeln!(
            out,
            "events read: {}, rows that cannot be read: {}",
            check.events, check.damaged
        )
    });
    if check.is_whole() {
        return Ok(());
    }
    Err(Failure::new("the spool is damaged").help(
        "a service that starts keeps every event that can be read, and sets aside a file that it cannot use; `audited spool purge --all` forgets dead letters that cannot be read, too",
    ))
}

fn time(time: SystemTime) -> String {
    format_rfc3339_millis(time).to_string()
}

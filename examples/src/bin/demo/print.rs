//! The output of the demo. Colors are removed for `NO_COLOR` and for pipes.

use anstyle::{AnsiColor, Color, Style};
use audit_server::{EventStatus, StoredEvent};
use reqwest::Method;

use crate::expected::Expected;
use crate::phase::Phase;

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();

pub(crate) fn heading(text: &str) {
    anstream::println!("\n{BOLD}{text}{BOLD:#}\n");
}

/// Prints a request with its result.
pub(crate) fn print_request(member: &str, method: &Method, path: &str, result: &str) {
    anstream::println!(
        "{DIM}{member:4} {:6} {result:14} {path}{DIM:#}",
        method.as_str()
    );
}

/// Formats an event that the server received.
pub(crate) fn event_line(stored: &StoredEvent) -> String {
    let event = Expected::of_stored(stored);
    let style = if stored.status() == EventStatus::Accepted {
        outcome(&event.outcome)
    } else {
        red()
    };
    let mut line = format!(
        "{style}{:9}{style:#} {:20} {:10} {}  {DIM}{} {}{DIM:#}",
        event.outcome, event.action, event.actor, event.targets, event.organization, event.location
    );
    if stored.status() == EventStatus::Rejected {
        line += &format!(
            "\n  {style}rejected with {}: {}{style:#}",
            stored.http_status(),
            stored.reasons().join("; ")
        );
    }
    line
}

/// Prints the comparison, with one marked row for each event.
pub(crate) fn print_table(rows: &[(&str, Expected)]) {
    let width = |column: fn(&Expected) -> &str| {
        rows.iter()
            .map(|(_, row)| column(row).len())
            .max()
            .unwrap_or(0)
    };
    let (action, actor) = (width(|row| &row.action), width(|row| &row.actor));
    let (outcomes, organization) = (width(|row| &row.outcome), width(|row| &row.organization));
    for (mark, row) in rows {
        let style = if *mark == "ok" { Style::new() } else { red() };
        let color = outcome(&row.outcome);
        anstream::println!(
            "{style}{mark:10}{style:#} {:action$}  {color}{:outcomes$}{color:#}  {:actor$}  {:organization$}  {}  {}",
            row.action,
            row.outcome,
            row.actor,
            row.organization,
            row.location,
            row.targets
        );
    }
}

/// Prints the latencies of each phase, and their ratio to those of the first.
pub(crate) fn print_phases(phases: &[Phase]) {
    let Some(first) = phases.first() else { return };
    anstream::println!(
        "{DIM}         requests      p50      p99   p50 ratio   p99 ratio   events pending{DIM:#}"
    );
    for phase in phases {
        let ms = |percent| phase.percentile(percent).as_secs_f64() * 1_000.0;
        let ratio = |percent| {
            let (this, healthy) = (phase.percentile(percent), first.percentile(percent));
            this.as_secs_f64() / healthy.as_secs_f64().max(f64::MIN_POSITIVE)
        };
        anstream::println!(
            "{:8} {:8} {:5.1} ms {:5.1} ms {:10.2}x {:10.2}x {:16}",
            phase.name,
            phase.requests(),
            ms(50),
            ms(99),
            ratio(50),
            ratio(99),
            phase.pending
        );
    }
}

fn outcome(outcome: &str) -> Style {
    let color = match outcome {
        "succeeded" => AnsiColor::Green,
        "denied" => AnsiColor::Yellow,
        _ => return red(),
    };
    Style::new().fg_color(Some(Color::Ansi(color)))
}

fn red() -> Style {
    Style::new().fg_color(Some(Color::Ansi(AnsiColor::Red)))
}

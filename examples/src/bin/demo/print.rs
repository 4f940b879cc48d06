//! What the demo looks like on a terminal. Colours vanish by themselves where `NO_COLOR` or a pipe
//! asks for it.

use anstyle::{AnsiColor, Color, Style};
use audit_server::{EventStatus, StoredEvent};
use reqwest::Method;

use crate::expected::Expected;
use crate::outage::Phase;

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();

pub(crate) fn heading(text: &str) {
    anstream::println!("\n{BOLD}{text}{BOLD:#}\n");
}

/// A request and how it was answered.
pub(crate) fn request_line(who: &str, method: &Method, path: &str, answer: &str) {
    anstream::println!(
        "{DIM}{who:4} {:6} {answer:9} {path}{DIM:#}",
        method.as_str()
    );
}

/// An event as the server received it.
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
            "\n  {style}refused with {}: {}{style:#}",
            stored.http_status(),
            stored.reasons().join("; ")
        );
    }
    line
}

/// The comparison: a row per event, marked.
pub(crate) fn table(rows: &[(&str, Expected)]) {
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
        let coloured = outcome(&row.outcome);
        anstream::println!(
            "{style}{mark:10}{style:#} {:action$}  {coloured}{:outcomes$}{coloured:#}  {:actor$}  {:organization$}  {}  {}",
            row.action,
            row.outcome,
            row.actor,
            row.organization,
            row.location,
            row.targets
        );
    }
}

/// What a handler's client saw of each stretch, beside the first.
pub(crate) fn phases(phases: &[Phase]) {
    let Some(first) = phases.first() else { return };
    anstream::println!(
        "{DIM}         requests      p50      p99   p50 ratio   p99 ratio   events waiting{DIM:#}"
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

//! One event on one line: time, status, action, actor, targets, organization, and for a rejected
//! one the reason.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use audit_server::{EventStatus, StoredEvent};
use serde_json::Value;

/// Targets that are named; of the others only the number is shown.
const SHOWN_TARGETS: usize = 3;

/// Characters of a value that are shown.
const SHOWN_CHARS: usize = 60;

/// Characters of all reasons together that are shown.
const SHOWN_REASON_CHARS: usize = 400;

pub(super) fn event(out: &mut dyn Write, stored: &StoredEvent) -> io::Result<()> {
    let dim = Style::new().dimmed();
    let (color, mark) = match stored.status() {
        EventStatus::Accepted => (AnsiColor::Green, "accepted"),
        EventStatus::Rejected => (AnsiColor::Red, "rejected"),
    };
    let status = Style::new().fg_color(Some(color.into()));
    let bold = Style::new().bold();
    let event = stored.event();
    let time = humantime::format_rfc3339_millis(stored.received_at()).to_string();
    // The date is left out: `2026-02-02T16:35:39.317Z` is 16:35:39.317Z.
    let time = time.split_once('T').map_or(time.as_str(), |(_, time)| time);
    let action = stored.action().map_or_else(|| "-".to_owned(), short);
    let organization = stored
        .organization_id()
        .map_or_else(|| "-".to_owned(), short);
    write!(
        out,
        "{dim}{time}{dim:#}  {status}{mark}{status:#}  {bold}{action}{bold:#}  "
    )?;
    write!(
        out,
        "{}  {dim}on{dim:#} {}  {dim}in{dim:#} {organization}",
        party(&event["actor"]),
        targets(&event["targets"])
    )?;
    if stored.status() == EventStatus::Rejected {
        let reasons = cut(&plain(&stored.reasons().join("; ")), SHOWN_REASON_CHARS);
        write!(
            out,
            "  {status}{}: {reasons}{status:#}",
            stored.http_status()
        )?;
    }
    writeln!(out)
}

/// An actor or a target as `type:id (name)`.
fn party(party: &Value) -> String {
    let text = |key: &str| party[key].as_str().map(short);
    let (Some(kind), Some(id)) = (text("type"), text("id")) else {
        return "-".to_owned();
    };
    let name = text("name")
        .map(|name| format!(" ({name})"))
        .unwrap_or_default();
    format!("{kind}:{id}{name}")
}

fn targets(targets: &Value) -> String {
    let Some(targets) = targets.as_array().filter(|targets| !targets.is_empty()) else {
        return "-".to_owned();
    };
    let mut text = targets
        .iter()
        .take(SHOWN_TARGETS)
        .map(party)
        .collect::<Vec<_>>()
        .join(", ");
    if let Some(more) = targets
        .len()
        .checked_sub(SHOWN_TARGETS)
        .filter(|more| *more > 0)
    {
        text.push_str(&format!(" and {more} more"));
    }
    text
}

fn short(text: &str) -> String {
    cut(&plain(text), SHOWN_CHARS)
}

fn cut(text: &str, chars: usize) -> String {
    match text.char_indices().nth(chars) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// The text without what a terminal would obey: an event comes from anywhere, and must not move the
/// cursor, change the title or turn the direction of the line.
pub(super) fn plain(text: &str) -> String {
    let obeyed = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars()
        .fold(String::with_capacity(text.len()), |mut plain, c| {
            if obeyed(c) {
                plain.extend(c.escape_unicode())
            } else {
                plain.push(c)
            }
            plain
        })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_terminal_obeys_nothing_in_an_event() {
        assert_eq!(
            plain("a\u{1b}[31mb\nc\u{202e}d é"),
            r"a\u{1b}[31mb\u{a}c\u{202e}d é"
        );
    }

    #[test]
    fn a_party_is_named_by_type_id_and_name() {
        assert_eq!(
            party(&json!({ "type": "user", "id": "user_1", "name": "Jon" })),
            "user:user_1 (Jon)"
        );
        assert_eq!(
            party(&json!({ "type": "user", "id": "user_1" })),
            "user:user_1"
        );
        assert_eq!(party(&json!({ "type": 1 })), "-");
        assert_eq!(party(&Value::Null), "-");
    }

    #[test]
    fn of_many_targets_three_are_named() {
        let target = json!({ "type": "t", "id": "1" });
        assert_eq!(targets(&json!([])), "-");
        assert_eq!(targets(&vec![target.clone(); 3].into()), "t:1, t:1, t:1");
        assert_eq!(
            targets(&vec![target; 20].into()),
            "t:1, t:1, t:1 and 17 more"
        );
    }

    #[test]
    fn a_long_value_is_cut() {
        assert_eq!(short(&"é".repeat(61)), format!("{}…", "é".repeat(60)));
    }
}

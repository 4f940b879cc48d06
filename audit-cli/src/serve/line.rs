//! Prints an event on one line: time, status, action, actor, targets, organization, and the reason
//! of a rejection.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use audit_server::{EventStatus, StoredEvent};
use serde_json::Value;

/// Maximum number of targets that are printed; of the others, the count is printed.
const MAX_TARGETS: usize = 3;

/// Maximum length of a printed value, in characters.
const MAX_VALUE_CHARS: usize = 60;

/// Maximum length of all printed reasons together, in characters.
const MAX_REASON_CHARS: usize = 400;

/// Prints one event.
pub(super) fn event(out: &mut dyn Write, stored: &StoredEvent) -> io::Result<()> {
    let dim = Style::new().dimmed();
    let (color, label) = match stored.status() {
        EventStatus::Accepted => (AnsiColor::Green, "accepted"),
        EventStatus::Rejected => (AnsiColor::Red, "rejected"),
    };
    let status = Style::new().fg_color(Some(color.into()));
    let bold = Style::new().bold();
    let event = stored.event();
    let time = humantime::format_rfc3339_millis(stored.received_at()).to_string();
    // Printed without the date: 16:35:39.317Z of `2026-02-02T16:35:39.317Z`.
    let time = time.split_once('T').map_or(time.as_str(), |(_, time)| time);
    let action = stored.action().map_or_else(|| "-".to_owned(), short);
    let organization = stored
        .organization_id()
        .map_or_else(|| "-".to_owned(), short);
    write!(
        out,
        "{dim}{time}{dim:#}  {status}{label}{status:#}  {bold}{action}{bold:#}  "
    )?;
    write!(
        out,
        "{}  {dim}on{dim:#} {}  {dim}in{dim:#} {organization}",
        entity(&event["actor"]),
        targets(&event["targets"])
    )?;
    if stored.status() == EventStatus::Rejected {
        let reasons = truncate(&escape(&stored.reasons().join("; ")), MAX_REASON_CHARS);
        write!(
            out,
            "  {status}{}: {reasons}{status:#}",
            stored.http_status()
        )?;
    }
    writeln!(out)
}

/// Formats an actor or a target as `type:id (name)`.
fn entity(entity: &Value) -> String {
    let text = |key: &str| entity[key].as_str().map(short);
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
        .take(MAX_TARGETS)
        .map(entity)
        .collect::<Vec<_>>()
        .join(", ");
    if let Some(more) = targets
        .len()
        .checked_sub(MAX_TARGETS)
        .filter(|more| *more > 0)
    {
        text.push_str(&format!(" and {more} more"));
    }
    text
}

fn short(text: &str) -> String {
    truncate(&escape(text), MAX_VALUE_CHARS)
}

fn truncate(text: &str, chars: usize) -> String {
    match text.char_indices().nth(chars) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// Escapes the characters that a terminal would interpret.
///
/// An event may come from an attacker. It must not move the cursor, change the title of the
/// terminal or reverse the direction of the text.
pub(super) fn escape(text: &str) -> String {
    let is_interpreted = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars()
        .fold(String::with_capacity(text.len()), |mut escaped, c| {
            if is_interpreted(c) {
                escaped.extend(c.escape_unicode())
            } else {
                escaped.push(c)
            }
            escaped
        })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn control_characters_of_an_event_are_escaped() {
        assert_eq!(
            escape("a\u{1b}[31mb\nc\u{202e}d é"),
            r"a\u{1b}[31mb\u{a}c\u{202e}d é"
        );
    }

    #[test]
    fn entity_is_formatted_as_type_id_and_name() {
        assert_eq!(
            entity(&json!({ "type": "user", "id": "user_1", "name": "Jon" })),
            "user:user_1 (Jon)"
        );
        assert_eq!(
            entity(&json!({ "type": "user", "id": "user_1" })),
            "user:user_1"
        );
        assert_eq!(entity(&json!({ "type": 1 })), "-");
        assert_eq!(entity(&Value::Null), "-");
    }

    #[test]
    fn three_targets_are_printed_and_the_others_counted() {
        let target = json!({ "type": "t", "id": "1" });
        assert_eq!(targets(&json!([])), "-");
        assert_eq!(targets(&vec![target.clone(); 3].into()), "t:1, t:1, t:1");
        assert_eq!(
            targets(&vec![target; 20].into()),
            "t:1, t:1, t:1 and 17 more"
        );
    }

    #[test]
    fn long_value_is_truncated() {
        assert_eq!(short(&"é".repeat(61)), format!("{}…", "é".repeat(60)));
    }
}

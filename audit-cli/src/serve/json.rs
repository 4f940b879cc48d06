//! The output for programs. Each line is an object with a `type`: `listening`, `event`, `missed`,
//! `stopped`.

use std::io::{self, Write};

use audit_server::StoredEvent;
use serde::Serialize;

use super::screen::{Counts, Facts};

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Line<'a> {
    Listening {
        url: &'a str,
        api_key: &'a str,
        organizations: &'a [String],
        data: Option<String>,
    },
    Missed {
        count: u64,
    },
    Stopped {
        accepted: u64,
        rejected: u64,
        duplicates: u64,
    },
}

/// Apart from the others, as an internally tagged enum cannot carry raw JSON.
#[derive(Serialize)]
struct EventLine<'a> {
    r#type: &'static str,
    stored: &'a StoredEvent,
}

pub(super) fn head(out: &mut dyn Write, facts: &Facts) -> io::Result<()> {
    let data = facts.data.as_ref().map(|path| path.display().to_string());
    line(
        out,
        &Line::Listening {
            url: &facts.url,
            api_key: &facts.api_key,
            organizations: &facts.organizations,
            data,
        },
    )
}

pub(super) fn event(out: &mut dyn Write, stored: &StoredEvent) -> io::Result<()> {
    line(
        out,
        &EventLine {
            r#type: "event",
            stored,
        },
    )
}

pub(super) fn missed(out: &mut dyn Write, count: u64) -> io::Result<()> {
    line(out, &Line::Missed { count })
}

pub(super) fn foot(out: &mut dyn Write, counts: Counts) -> io::Result<()> {
    let Counts {
        accepted,
        rejected,
        duplicates,
    } = counts;
    line(
        out,
        &Line::Stopped {
            accepted,
            rejected,
            duplicates,
        },
    )
}

fn line(out: &mut dyn Write, value: &impl Serialize) -> io::Result<()> {
    let mut text = serde_json::to_string(value)?;
    // An event is kept as it was sent, and may have been sent with line breaks; between tokens they
    // are only white space, and inside a JSON string there are none.
    if text.contains(['\n', '\r']) {
        text = text.replace(['\n', '\r'], " ");
    }
    writeln!(out, "{text}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_one_object_with_a_type() {
        let mut out = Vec::new();
        foot(
            &mut out,
            Counts {
                accepted: 1,
                rejected: 2,
                duplicates: 3,
            },
        )
        .unwrap();
        missed(&mut out, 4).unwrap();
        let text = String::from_utf8(out).unwrap();
        let expected = "{\"type\":\"stopped\",\"accepted\":1,\"rejected\":2,\"duplicates\":3}\n{\"type\":\"missed\",\"count\":4}\n";
        assert_eq!(text, expected);
    }
}

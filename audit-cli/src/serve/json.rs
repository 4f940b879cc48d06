//! The output of `audited serve` as JSON lines.
//!
//! Each line is an object with a `type`: `listening`, `event`, `missed` or `stopped`.

use std::io::{self, Write};

use audit_server::StoredEvent;
use serde::Serialize;

use super::output::{Counts, Output, ServerInfo};

/// JSON lines, for programs.
#[derive(Debug)]
pub(crate) struct Json;

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

/// A line with an event. It is no variant of `Line`, since an internally tagged enum cannot hold
/// raw JSON.
#[derive(Serialize)]
struct EventLine<'a> {
    r#type: &'static str,
    stored: &'a StoredEvent,
}

impl Output for Json {
    fn listening(&self, out: &mut dyn Write, server: &ServerInfo) -> io::Result<()> {
        let data = server.data.as_ref().map(|path| path.display().to_string());
        let line = Line::Listening {
            url: &server.url,
            api_key: &server.api_key,
            organizations: &server.organizations,
            data,
        };
        write_line(out, &line)
    }

    fn event(&self, out: &mut dyn Write, event: &StoredEvent) -> io::Result<()> {
        let line = EventLine {
            r#type: "event",
            stored: event,
        };
        write_line(out, &line)
    }

    fn missed(&self, out: &mut dyn Write, count: u64) -> io::Result<()> {
        write_line(out, &Line::Missed { count })
    }

    fn stopped(&self, out: &mut dyn Write, counts: Counts) -> io::Result<()> {
        let Counts {
            accepted,
            rejected,
            duplicates,
        } = counts;
        let line = Line::Stopped {
            accepted,
            rejected,
            duplicates,
        };
        write_line(out, &line)
    }
}

fn write_line(out: &mut dyn Write, value: &impl Serialize) -> io::Result<()> {
    let mut text = serde_json::to_string(value)?;
    // An event is stored as it was sent, which may include line breaks. Between tokens they are
    // white space, and inside a JSON string they cannot occur.
    if text.contains(['\n', '\r']) {
        text = text.replace(['\n', '\r'], " ");
    }
    writeln!(out, "{text}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_an_object_with_a_type() {
        let mut out = Vec::new();
        let counts = Counts {
            accepted: 1,
            rejected: 2,
            duplicates: 3,
        };
        Json.stopped(&mut out, counts).unwrap();
        Json.missed(&mut out, 4).unwrap();
        let text = String::from_utf8(out).unwrap();
        let expected = "{\"type\":\"stopped\",\"accepted\":1,\"rejected\":2,\"duplicates\":3}\n{\"type\":\"missed\",\"count\":4}\n";
        assert_eq!(text, expected);
    }
}

//! The life of the screen: a head, events, counts.

use std::io::{self, Write};
use std::path::PathBuf;
use std::thread;

use anstyle::Style;
use audit_server::{LocalServer, QueryError, Stats, Subscription};

use super::json;
use super::line;
use crate::signal::Stop;

/// What is known of the server when it starts.
#[derive(Debug)]
pub(crate) struct Facts {
    pub(crate) url: String,
    pub(crate) api_key: String,
    pub(crate) organizations: Vec<String>,
    /// `None` in memory.
    pub(crate) data: Option<PathBuf>,
}

/// For whom the output is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// A person.
    Text,
    /// A program: one JSON object on each line.
    Json,
}

/// How many requests ended how since the command started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) accepted: u64,
    pub(super) rejected: u64,
    pub(super) duplicates: u64,
}

impl Counts {
    /// A file may hold the events of earlier runs, which are not this one's.
    fn between(before: Stats, after: Stats) -> Self {
        Self {
            accepted: after.accepted().saturating_sub(before.accepted()),
            rejected: after.rejected().saturating_sub(before.rejected()),
            duplicates: after.duplicates().saturating_sub(before.duplicates()),
        }
    }
}

/// Shows the server's events until a signal comes, then stops the server and shows the counts.
///
/// A standard output that is closed ends the showing, not the serving.
pub(crate) fn show(
    server: LocalServer,
    facts: &Facts,
    mode: Mode,
    stop: Stop,
) -> Result<(), QueryError> {
    let before = server.stats()?;
    let subscription = server.subscribe();
    let mut open = print(|out| match mode {
        Mode::Text => head(out, facts),
        Mode::Json => json::head(out, facts),
    });
    let printer = thread::spawn(move || open && events(&subscription, mode));
    stop.wait();
    let stopped = server.shutdown();
    // The subscription has ended with the server, and with it the thread.
    open = printer.join().unwrap_or(false);
    let counts = Counts::between(before, stopped?);
    if open {
        print(|out| match mode {
            Mode::Text => foot(out, counts),
            Mode::Json => json::foot(out, counts),
        });
    }
    Ok(())
}

/// Prints each event; `false` if the standard output was closed meanwhile.
fn events(subscription: &Subscription, mode: Mode) -> bool {
    let mut missed = 0;
    while let Some(event) = subscription.recv() {
        let now_missed = subscription.missed();
        let more = now_missed - missed;
        missed = now_missed;
        let written = print(|out| {
            match mode {
                Mode::Text => line::event(out, &event)?,
                Mode::Json => json::event(out, &event)?,
            }
            match mode {
                _ if more == 0 => Ok(()),
                Mode::Text => writeln!(
                    out,
                    "{more} more events came too fast to be shown; they are stored, see /_local/events"
                ),
                Mode::Json => json::missed(out, more),
            }
        });
        if !written {
            return false;
        }
    }
    true
}

/// Whether it could be written.
fn print(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> bool {
    let mut out = anstream::stdout().lock();
    write(&mut out).and_then(|()| out.flush()).is_ok()
}

fn head(out: &mut dyn Write, facts: &Facts) -> io::Result<()> {
    let bold = Style::new().bold();
    let dim = Style::new().dimmed();
    let data = facts
        .data
        .as_ref()
        .map_or_else(|| "in memory".to_owned(), |path| path.display().to_string());
    writeln!(
        out,
        "{dim}url{dim:#}            {bold}{}{bold:#}",
        facts.url
    )?;
    writeln!(out, "{dim}key{dim:#}            {}", facts.api_key)?;
    writeln!(
        out,
        "{dim}organizations{dim:#}  {}",
        facts.organizations.join(", ")
    )?;
    writeln!(out, "{dim}data{dim:#}           {}", line::plain(&data))?;
    writeln!(out)?;
    writeln!(out, "export WORKOS_API_KEY={}", quoted(&facts.api_key))?;
    writeln!(out, "export WORKOS_BASE_URL={}", quoted(&facts.url))?;
    writeln!(out)?;
    writeln!(
        out,
        "{dim}Events appear as they arrive; Ctrl-C stops the server.{dim:#}"
    )
}

fn foot(out: &mut dyn Write, counts: Counts) -> io::Result<()> {
    let Counts {
        accepted,
        rejected,
        duplicates,
    } = counts;
    writeln!(
        out,
        "stopped: {accepted} accepted, {rejected} rejected, {duplicates} repeated"
    )
}

/// A word of a POSIX shell.
fn quoted(text: &str) -> String {
    let plain = text
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"_-./:".contains(&byte));
    if plain {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_quoted_where_a_shell_would_read_more_into_it() {
        assert_eq!(quoted("sk_test_local"), "sk_test_local");
        assert_eq!(quoted("http://127.0.0.1:4100"), "http://127.0.0.1:4100");
        assert_eq!(quoted("sk_$x'y"), r"'sk_$x'\''y'");
    }

    #[test]
    fn the_head_has_the_lines_to_paste() {
        let facts = Facts {
            url: "http://127.0.0.1:4100".to_owned(),
            api_key: "sk_test_local".to_owned(),
            organizations: vec!["org_1".to_owned(), "org_2".to_owned()],
            data: None,
        };
        let mut out = anstream::StripStream::new(Vec::new());
        head(&mut out, &facts).unwrap();
        let text = String::from_utf8(out.into_inner()).unwrap();
        assert!(text.contains("\nexport WORKOS_API_KEY=sk_test_local\nexport WORKOS_BASE_URL=http://127.0.0.1:4100\n"), "{text}");
        assert!(text.contains("organizations  org_1, org_2\n"), "{text}");
    }
}

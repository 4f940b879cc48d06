//! The output of `audited serve` as text.

use std::io::{self, Write};

use anstyle::Style;
use audit_server::StoredEvent;

use super::line;
use super::output::{Counts, Output, ServerInfo};

/// Text, with colors on a terminal.
#[derive(Debug)]
pub(crate) struct Text;

impl Output for Text {
    fn listening(&self, out: &mut dyn Write, server: &ServerInfo) -> io::Result<()> {
        let bold = Style::new().bold();
        let dim = Style::new().dimmed();
        let data = server
            .data
            .as_ref()
            .map_or_else(|| "in memory".to_owned(), |path| path.display().to_string());
        writeln!(
            out,
            "{dim}url{dim:#}            {bold}{}{bold:#}",
            server.url
        )?;
        writeln!(out, "{dim}key{dim:#}            {}", server.api_key)?;
        writeln!(
            out,
            "{dim}organizations{dim:#}  {}",
            server.organizations.join(", ")
        )?;
        writeln!(out, "{dim}data{dim:#}           {}", line::escape(&data))?;
        writeln!(out)?;
        writeln!(out, "export WORKOS_API_KEY={}", quote(&server.api_key))?;
        writeln!(out, "export WORKOS_BASE_URL={}", quote(&server.url))?;
        writeln!(out)?;
        writeln!(
            out,
            "{dim}Events appear as they arrive; Ctrl-C stops the server.{dim:#}"
        )
    }

    fn event(&self, out: &mut dyn Write, event: &StoredEvent) -> io::Result<()> {
        line::event(out, event)
    }

    fn missed(&self, out: &mut dyn Write, count: u64) -> io::Result<()> {
        writeln!(
            out,
            "{count} events arrived too fast to be printed; they are stored, see /_local/events"
        )
    }

    fn stopped(&self, out: &mut dyn Write, counts: Counts) -> io::Result<()> {
        let Counts {
            accepted,
            rejected,
            duplicates,
        } = counts;
        writeln!(
            out,
            "stopped: {accepted} accepted, {rejected} rejected, {duplicates} duplicates"
        )
    }
}

/// Quotes a word for a POSIX shell, if it needs quotes.
fn quote(text: &str) -> String {
    let is_safe = text
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"_-./:".contains(&byte));
    if is_safe {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_with_shell_characters_is_quoted() {
        assert_eq!(quote("sk_test_local"), "sk_test_local");
        assert_eq!(quote("http://127.0.0.1:4100"), "http://127.0.0.1:4100");
        assert_eq!(quote("sk_$x'y"), r"'sk_$x'\''y'");
    }

    #[test]
    fn head_has_the_variables_of_a_client() {
        let server = ServerInfo {
            url: "http://127.0.0.1:4100".to_owned(),
            api_key: "sk_test_local".to_owned(),
            organizations: vec!["org_1".to_owned(), "org_2".to_owned()],
            data: None,
        };
        let mut out = anstream::StripStream::new(Vec::new());
        Text.listening(&mut out, &server).unwrap();
        let text = String::from_utf8(out.into_inner()).unwrap();
        assert!(text.contains("\nexport WORKOS_API_KEY=sk_test_local\nexport WORKOS_BASE_URL=http://127.0.0.1:4100\n"), "{text}");
        assert!(text.contains("organizations  org_1, org_2\n"), "{text}");
    }
}

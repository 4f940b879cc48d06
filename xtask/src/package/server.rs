//! The local server of the packaged command.

use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::Value;

use crate::error::Error;
use crate::process::{heading, shown};

/// A running `audited serve`; it is stopped on drop.
#[derive(Debug)]
pub(super) struct Server {
    process: Child,
    lines: Lines<BufReader<ChildStdout>>,
    url: String,
    api_key: String,
}

impl Server {
    /// Starts the command on a free port, and waits until it listens.
    pub(super) fn start(mut audited: Command) -> Result<Self, Error> {
        audited.args(["serve", "--listen", "127.0.0.1:0", "--json"]);
        heading(&shown(&audited));
        let cannot_start = |source| Error::Start {
            command: "audited serve".to_owned(),
            source,
        };
        let mut process = audited
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(cannot_start)?;
        let Some(stdout) = process.stdout.take() else {
            return Err(Error::Finding("`audited serve` has no output".to_owned()));
        };
        let mut server = Self {
            process,
            lines: BufReader::new(stdout).lines(),
            url: String::new(),
            api_key: String::new(),
        };
        let line = server.line("listening")?;
        let text = |key: &str| line[key].as_str().unwrap_or_default().to_owned();
        (server.url, server.api_key) = (text("url"), text("api_key"));
        Ok(server)
    }

    /// Sets the variables by which a client finds the server.
    pub(super) fn name_to(&self, client: &mut Command) {
        client.env("WORKOS_BASE_URL", &self.url);
        client.env("WORKOS_API_KEY", &self.api_key);
    }

    /// Waits for the line of an event, and fails if it is another action's.
    pub(super) fn expect_event(&mut self, action: &str) -> Result<(), Error> {
        let line = self.line("event")?;
        if line.to_string().contains(&format!("\"{action}\"")) {
            return Ok(());
        }
        Err(Error::Finding(format!(
            "the server has stored another event than `{action}`: {line}"
        )))
    }

    /// Waits for the next line of a type.
    fn line(&mut self, kind: &str) -> Result<Value, Error> {
        for line in &mut self.lines {
            let line = line.map_err(|source| Error::file("read from", "audited serve", source))?;
            let value: Value = serde_json::from_str(&line).unwrap_or_default();
            if value["type"] == kind {
                return Ok(value);
            }
        }
        Err(Error::Finding(format!(
            "`audited serve` ended before its line `{kind}`; run it by hand to see why"
        )))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It has ended already if either fails.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

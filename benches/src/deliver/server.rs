//! The server that the events are delivered to.

use std::io::BufRead as _;
use std::process::{Child, Command, Stdio};

use crate::Result;

/// A server process, which is killed on drop.
pub(super) struct Server {
    child: Child,
    url: String,
}

impl Server {
    pub(super) fn start() -> Result<Self> {
        let beside = std::env::current_exe()?.with_file_name("server");
        let mut child = Command::new(&beside)
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("start {}: {error}", beside.display()))?;
        let mut url = String::new();
        if let Some(out) = child.stdout.take() {
            std::io::BufReader::new(out).read_line(&mut url)?;
        }
        let url = url.trim().to_owned();
        Ok(Self { child, url })
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

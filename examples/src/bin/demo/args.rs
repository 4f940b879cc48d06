//! The arguments of the demo.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Parser;

use crate::framework::Framework;

/// Environment variable with the server's API key, for the child.
pub(crate) const KEY_VARIABLE: &str = "AUDIT_DEMO_KEY";

/// A documents service that delivers audit events to a local audit log server.
#[derive(Debug, Parser)]
#[command(name = "cargo demo --", version)]
pub(crate) struct Args {
    /// Send one round of requests, compare the stored events with the expected ones, and exit.
    #[arg(long)]
    pub(crate) once: bool,
    /// After the round, stop the audit service from responding during traffic, for a time such as
    /// 30s.
    #[arg(long, requires = "once", conflicts_with = "live", value_name = "TIME", value_parser = humantime::parse_duration)]
    pub(crate) outage: Option<Duration>,
    /// Kill the documents service during the outage, and start it again.
    #[arg(long, requires = "outage")]
    pub(crate) restart: bool,
    /// Web framework of the documents service; the events are the same on each.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) framework: Framework,
    /// Deliver to WorkOS instead of a local server, with the key in WORKOS_API_KEY.
    #[arg(long, requires = "organization")]
    pub(crate) live: bool,
    /// Organization of the events.
    #[arg(long, value_name = "org_…")]
    pub(crate) organization: Option<String>,
    /// Address of the documents service; port 0 selects a free port.
    #[arg(long, default_value = "127.0.0.1:4180")]
    pub(crate) listen: SocketAddr,
    /// Address of the local audit log server; port 0 selects a free port.
    #[arg(long, default_value = "127.0.0.1:4100")]
    pub(crate) server: SocketAddr,
    #[command(flatten)]
    pub(crate) child: ChildArgs,
}

/// The arguments of the child process.
#[derive(Debug, clap::Args)]
pub(crate) struct ChildArgs {
    /// URL of the audit log server.
    #[arg(long, hide = true, requires = "spool")]
    child_of: Option<String>,
    /// Path of the spool.
    #[arg(long, hide = true)]
    spool: Option<PathBuf>,
    /// API key of the server, from the environment, since other users can read a command line.
    #[arg(long, env = KEY_VARIABLE, hide = true)]
    pub(crate) key: Option<String>,
}

impl ChildArgs {
    /// Returns the URL of the audit log server and the path of the spool, in a child process.
    pub(crate) fn requested(&self) -> Option<(&str, &Path)> {
        Some((self.child_of.as_deref()?, self.spool.as_deref()?))
    }
}

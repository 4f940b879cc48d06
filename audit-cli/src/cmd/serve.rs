//! `audited serve`.

use std::net::SocketAddr;
use std::path::PathBuf;

use audit_server::{DEFAULT_API_KEY, DEFAULT_ORGANIZATION, Data, LocalServer, StartError};
use clap::Args;

use crate::failure::Failure;
use crate::serve::{Facts, Mode, show};
use crate::signal::Stop;

/// Run a local server that speaks the WorkOS Audit Logs API, and show the events it receives
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// Address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:4100", value_parser = parse_address)]
    listen: SocketAddr,

    /// Keep the data in this SQLite file instead of in memory
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,

    /// API key to let in; it starts with `sk_`
    #[arg(long, value_name = "KEY", default_value = DEFAULT_API_KEY)]
    api_key: String,

    /// Organization whose events are taken; may be given more than once
    #[arg(long = "organization", value_name = "ID", default_value = DEFAULT_ORGANIZATION)]
    organizations: Vec<String>,

    /// Listen also on an address that other machines can reach
    #[arg(long)]
    allow_remote: bool,

    /// Print JSON lines instead of text
    #[arg(long)]
    json: bool,
}

/// Runs until Ctrl-C or SIGTERM.
pub(crate) fn run(args: ServeArgs) -> Result<(), Failure> {
    // Before the first line is printed: whoever reads it may send a signal at once.
    let stop = Stop::listen()
        .map_err(|error| Failure::new("failed to wait for Ctrl-C").caused_by(&error))?;
    let data = args.data.clone().map_or(Data::Memory, Data::File);
    let mut builder = LocalServer::builder()
        .listen(args.listen)
        .data(data)
        .api_key(&args.api_key)
        .allow_remote(args.allow_remote);
    for organization in &args.organizations {
        builder = builder.organization(organization);
    }
    let server = builder.start().map_err(|error| describe(&error))?;
    let organizations = server.organizations().map_err(|error| unreadable(&error))?;
    let facts = Facts {
        url: server.url().to_owned(),
        api_key: server.api_key().to_owned(),
        organizations: organizations
            .iter()
            .map(|organization| organization.id().to_owned())
            .collect(),
        data: args.data,
    };
    let mode = if args.json { Mode::Json } else { Mode::Text };
    show(server, &facts, mode, stop).map_err(|error| unreadable(&error))
}

fn unreadable(error: &audit_server::QueryError) -> Failure {
    Failure::new("failed to read the server's database").caused_by_source_of(error)
}

/// A sentence and a help line in the words of the command line.
fn describe(error: &StartError) -> Failure {
    let addr = error
        .addr()
        .map(|addr| addr.to_string())
        .unwrap_or_default();
    if error.is_address_in_use() {
        return Failure::new(format!("failed to listen on {addr}: another program uses this address"))
            .help("stop that program, or choose another port with `--listen 127.0.0.1:0`, which takes a free one");
    }
    if error.is_remote_refused() {
        return Failure::usage(format!(
            "failed to listen on {addr}: other machines could reach the server there"
        ))
        .help("listen on 127.0.0.1, or add `--allow-remote` if that is what you want");
    }
    let failure = if error.is_configuration() {
        Failure::usage(format!("failed to {error}")).help("see `audited serve --help`")
    } else if error.is_data() {
        Failure::new(format!("failed to {error}")).help("choose a file that this server made or that does not exist yet, in a folder you may write to")
    } else {
        Failure::new(format!("failed to {error}"))
            .help("choose another address with `--listen`, such as `--listen 127.0.0.1:0`")
    };
    failure.caused_by_source_of(error)
}

/// An address and port, with `localhost` for 127.0.0.1.
fn parse_address(text: &str) -> Result<SocketAddr, String> {
    let numeric = text
        .strip_prefix("localhost:")
        .map_or_else(|| text.to_owned(), |port| format!("127.0.0.1:{port}"));
    numeric.parse().map_err(|_| {
        "expected an IP address and a port, such as 127.0.0.1:4100 or [::1]:4100".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_be_called_localhost() {
        assert_eq!(
            parse_address("localhost:4100"),
            Ok(SocketAddr::from(([127, 0, 0, 1], 4100)))
        );
        assert!(parse_address("[::1]:4100").is_ok());
        for text in ["", "4100", "127.0.0.1", "example.com:80", "localhost:x"] {
            assert!(parse_address(text).is_err(), "{text}");
        }
    }
}

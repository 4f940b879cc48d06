//! The arguments of `audited serve`, and the start of the server.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use audit_server::{
    DEFAULT_API_KEY, DEFAULT_ORGANIZATION, Data, LocalServer, SERVICE_RATE_LIMIT, StartError,
};
use clap::Args;

use crate::failure::Failure;
use crate::serve::{Json, Output, ServerInfo, Text, show};
use crate::signal::StopSignal;

/// The requests per minute of [`SERVICE_RATE_LIMIT`], as a default of clap.
const SERVICE_REQUESTS: &str = "6000";

/// Run a local server with the WorkOS Audit Logs API, and print the events it receives
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// Address to listen on; port 0 selects a free port
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:4100", value_parser = parse_address)]
    listen: SocketAddr,

    /// Store the data in this SQLite file instead of in memory
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,

    /// API key to accept; it starts with `sk_`
    #[arg(long, value_name = "KEY", default_value = DEFAULT_API_KEY)]
    api_key: String,

    /// Organization whose events are accepted; can be repeated
    #[arg(long = "organization", value_name = "ID", default_value = DEFAULT_ORGANIZATION)]
    organizations: Vec<String>,

    /// Respond with 429 to more than this many requests per minute; without a number, to more than
    /// the service allows
    #[arg(
        long,
        value_name = "REQUESTS",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = SERVICE_REQUESTS
    )]
    rate_limit: Option<u32>,

    /// Time that an export stays pending, such as 2s
    #[arg(long, value_name = "TIME", default_value = "250ms", value_parser = parse_time)]
    export_delay: Duration,

    /// Allow an address that other machines can reach
    #[arg(long)]
    allow_remote: bool,

    /// Print one JSON object per line instead of text
    #[arg(long)]
    json: bool,
}

/// Runs the server until Ctrl-C or SIGTERM.
pub(crate) fn run(args: ServeArgs) -> Result<(), Failure> {
    // Installed before the first line is printed, since its reader may send a signal at once.
    let stop = StopSignal::install()
        .map_err(|error| Failure::new("failed to wait for Ctrl-C").caused_by(&error))?;
    let data = args.data.clone().map_or(Data::Memory, Data::File);
    let mut builder = LocalServer::builder()
        .listen(args.listen)
        .data(data)
        .api_key(&args.api_key)
        .allow_remote(args.allow_remote)
        .export_delay(args.export_delay);
    if let Some(requests) = args.rate_limit {
        builder = builder.rate_limit(requests, SERVICE_RATE_LIMIT.1);
    }
    for organization in &args.organizations {
        builder = builder.organization(organization);
    }
    let server = builder.start().map_err(|error| describe(&error))?;
    let organizations = server.organizations().map_err(|error| unreadable(&error))?;
    let info = ServerInfo {
        url: server.url().to_owned(),
        api_key: server.api_key().to_owned(),
        organizations: organizations
            .iter()
            .map(|organization| organization.id().to_owned())
            .collect(),
        data: args.data,
    };
    let output: &'static dyn Output = if args.json { &Json } else { &Text };
    show(server, &info, output, stop).map_err(|error| unreadable(&error))
}

fn unreadable(error: &audit_server::QueryError) -> Failure {
    Failure::new("failed to read the server's database").caused_by_source_of(error)
}

/// Converts a start error into a message and a help line with the options of the command.
fn describe(error: &StartError) -> Failure {
    let addr = error
        .addr()
        .map(|addr| addr.to_string())
        .unwrap_or_default();
    if error.is_address_in_use() {
        return Failure::new(format!(
            "failed to listen on {addr}: another program uses this address"
        ))
        .help("stop that program, or select a free port with `--listen 127.0.0.1:0`");
    }
    if error.is_remote_refused() {
        return Failure::usage(format!(
            "failed to listen on {addr}: other machines could reach the server there"
        ))
        .help("listen on 127.0.0.1, or add `--allow-remote` to allow it");
    }
    let failure = if error.is_configuration() {
        Failure::usage(format!("failed to {error}")).help("see `audited serve --help`")
    } else if error.is_data() {
        Failure::new(format!("failed to {error}")).help("choose a file that this server created or that does not exist yet, in a writable folder")
    } else {
        Failure::new(format!("failed to {error}"))
            .help("choose another address with `--listen`, such as `--listen 127.0.0.1:0`")
    };
    failure.caused_by_source_of(error)
}

/// Parses an address with a port; `localhost` is 127.0.0.1.
fn parse_address(text: &str) -> Result<SocketAddr, String> {
    let numeric = text
        .strip_prefix("localhost:")
        .map_or_else(|| text.to_owned(), |port| format!("127.0.0.1:{port}"));
    numeric.parse().map_err(|_| {
        "expected an IP address and a port, such as 127.0.0.1:4100 or [::1]:4100".to_owned()
    })
}

/// Parses a duration with its unit, such as `250ms` or `1m 30s`.
fn parse_time(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text)
        .map_err(|_| "expected a duration with its unit, such as 250ms or 2s".to_owned())
}

#[cfg(test)]
mod tests {
    use audit_server::DEFAULT_EXPORT_DELAY;
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        args: ServeArgs,
    }

    fn args(line: &str) -> Result<ServeArgs, clap::Error> {
        Line::try_parse_from(line.split(' ')).map(|line| line.args)
    }

    #[test]
    fn defaults_are_those_of_the_library() {
        let args = args("serve").unwrap();
        assert_eq!(args.export_delay, DEFAULT_EXPORT_DELAY);
        assert_eq!(args.rate_limit, None);
    }

    #[test]
    fn rate_limit_without_a_number_is_that_of_the_service() {
        let limit = |line| args(line).unwrap().rate_limit;
        assert_eq!(limit("serve --rate-limit"), Some(SERVICE_RATE_LIMIT.0));
        assert_eq!(SERVICE_RATE_LIMIT.1, Duration::from_secs(60));
        assert_eq!(limit("serve --rate-limit=10"), Some(10));
        assert!(args("serve --rate-limit=many").is_err());
        assert!(args("serve --export-delay 5").is_err());
    }

    #[test]
    fn localhost_is_an_address() {
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

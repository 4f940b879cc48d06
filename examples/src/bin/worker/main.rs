//! The consumer and the clean-up of [`examples::worker`]: `cargo run -p examples --bin worker`.
//!
//! Reads messages from the standard input, one per line: `MEMBER ORGANIZATION DOCUMENT`. Prints
//! each event. Stops at the end of the input, or at Ctrl-C or SIGTERM.

use std::error::Error;
use std::time::Duration;

use audit_core::{Delivery, Event, Fault, Recorder, Sink};
use examples::standalone::stop_signal;
use examples::worker::{Archive, Message, clean_up, consume};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::sync::{mpsc, oneshot};

/// Capacity of the queue, in messages.
const QUEUE_CAPACITY: usize = 100;
/// Time between two clean-ups.
const CLEAN_UP_INTERVAL: Duration = Duration::from_secs(3_600);
/// Deadline for the delivery of the last events.
const SHUTDOWN_DEADLINE: Duration = Duration::from_secs(5);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .init();
    let recorder = Recorder::builder(PrintSink).build()?;
    let archive = Archive::default();
    for document in 1..=20 {
        archive.add(document, "org_acme", document > 18);
    }
    let (messages, queue) = mpsc::channel(QUEUE_CAPACITY);
    let consumer = tokio::spawn(consume(queue, archive.clone(), recorder.clone()));
    let (stop, stopped) = oneshot::channel::<()>();
    let stopped = async { drop(stopped.await) };
    let cleaner = tokio::spawn(clean_up(
        archive,
        CLEAN_UP_INTERVAL,
        recorder.clone(),
        stopped,
    ));
    tokio::select! {
        result = read(messages) => result?,
        () = stop_signal() => {}
    }
    // The sender is dropped, so the consumer ends after the messages in the queue.
    consumer.await?;
    drop(stop);
    cleaner.await?;
    let report = recorder.shutdown(SHUTDOWN_DEADLINE).await;
    if !report.is_complete() {
        return Err("some events were not delivered in time".into());
    }
    // A read from the standard input cannot be cancelled, and would block the end of the runtime.
    std::process::exit(0)
}

/// Sends the lines of the standard input to the queue.
async fn read(messages: mpsc::Sender<Message>) -> Result<(), Box<dyn Error>> {
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Some(line) = lines.next_line().await? {
        let mut words = line.split_whitespace();
        let (Some(member), Some(organization), Some(Ok(document))) =
            (words.next(), words.next(), words.next().map(str::parse))
        else {
            anstream::eprintln!(
                "write `MEMBER ORGANIZATION DOCUMENT`, such as `user_ada org_acme 7`"
            );
            continue;
        };
        let message = Message {
            member: (member != "-").then(|| member.to_owned()),
            organization: organization.to_owned(),
            document,
        };
        messages.send(message).await?;
    }
    Ok(())
}

/// A sink that prints events.
struct PrintSink;

impl Sink for PrintSink {
    async fn deliver(&self, event: &Event) -> Delivery {
        let actor = event.actor().map_or("", |actor| actor.id());
        let target = event.targets().next().map_or("", |target| target.id());
        let organization = event.organization().unwrap_or_default();
        let line = format!(
            "{} {actor} {organization} {target} {}",
            event.action(),
            event.outcome()
        );
        use std::io::Write as _;
        writeln!(std::io::stdout(), "{line}").map_err(|error| Fault::retryable(error.to_string()))
    }
}

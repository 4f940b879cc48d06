//! `cargo run -p examples --bin worker`: the consumer and the clean-up of [`examples::worker`].
//!
//! Messages come from the standard input, one a line: `MEMBER ORGANIZATION DOCUMENT`. It prints
//! each event and ends with the input, or with Ctrl-C or SIGTERM.

use std::error::Error;
use std::time::Duration;

use audit_core::{Delivery, Event, Fault, Recorder, Sink};
use examples::alone::interrupted;
use examples::worker::{Archive, Message, clean_up, consume};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::sync::{mpsc, oneshot};

/// How many messages wait at most.
const QUEUE: usize = 100;
/// The time between two clean-ups.
const EVERY: Duration = Duration::from_secs(3_600);
/// How long the last events may take.
const PATIENCE: Duration = Duration::from_secs(5);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .init();
    let recorder = Recorder::builder(Printed).build()?;
    let archive = Archive::default();
    for document in 1..=20 {
        archive.add(document, "org_acme", document > 18);
    }
    let (messages, queue) = mpsc::channel(QUEUE);
    let consumer = tokio::spawn(consume(queue, archive.clone(), recorder.clone()));
    let (stop, stopped) = oneshot::channel::<()>();
    let stopped = async { drop(stopped.await) };
    let cleaner = tokio::spawn(clean_up(archive, EVERY, recorder.clone(), stopped));
    tokio::select! {
        result = read(messages) => result?,
        () = interrupted() => {}
    }
    // Nobody sends any more, so the consumer ends with what is in the queue.
    consumer.await?;
    drop(stop);
    cleaner.await?;
    let report = recorder.shutdown(PATIENCE).await;
    if !report.is_complete() {
        return Err("some events were not delivered in time".into());
    }
    // A read from the standard input cannot be called off, and would keep the runtime from ending.
    std::process::exit(0)
}

/// Puts the lines of the standard input into the queue.
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

/// Prints events instead of sending them anywhere.
struct Printed;

impl Sink for Printed {
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

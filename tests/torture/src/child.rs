//! The processes that are hurt: one that records durable events, and one that delivers what is
//! left.

use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use audit_core::testing::FaultSink;
use audit_core::workos::{ApiKey, WorkOs};
use audit_core::{
    Actor, Event, MemorySink, RateLimit, Recorder, RecorderBuilder, Spool, Stats, Target,
};

use crate::Error;

pub(crate) const ACTION: &str = "torture.suffer";
pub(crate) const ORGANIZATION: &str = "org_local";
pub(crate) const TARGET: &str = "event";
/// What a process ends with that found the spool in use.
pub(crate) const LOCKED: i32 = 7;
const TASKS: u32 = 4;
/// After a refusal, so that a disk that takes nothing is asked often and not all the time.
const PAUSE: Duration = Duration::from_millis(2);
const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Debug, clap::Args)]
pub(crate) struct Record {
    #[arg(long)]
    spool: PathBuf,
    /// Begins the name of each of its events.
    #[arg(long)]
    name: String,
    /// Where the events go; to nobody who answers, if not given
    #[arg(long)]
    url: Option<String>,
    /// How many events each task records at most
    #[arg(long, default_value_t = 100)]
    events: u32,
    /// How many long texts each event has, of 500 bytes
    #[arg(long, default_value_t = 0)]
    texts: u32,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Drain {
    #[arg(long)]
    spool: PathBuf,
    #[arg(long)]
    url: String,
}

/// Records until the standard input ends. Says `try` before each event, `ack` or `refused` after
/// it, and at its own end its ledger.
pub(crate) fn record(args: &Record) -> Result<(), Error> {
    let spool = open(args.spool.clone())?;
    let recorder = match &args.url {
        Some(url) => build(Recorder::builder(client(url)?), spool)?,
        None => build(
            Recorder::builder(FaultSink::new(MemorySink::new()).hang()),
            spool,
        )?,
    };
    say("open")?;
    let over = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&over);
    std::thread::spawn(move || {
        // An error ends it as an end would.
        drop(std::io::stdin().read(&mut [0]));
        told.store(true, Ordering::Release);
    });
    block_on(async {
        let tasks: Vec<_> = (0..TASKS)
            .map(|task| {
                let name = format!("{}.{task}", args.name);
                let limits = (args.events, args.texts);
                tokio::spawn(load(recorder.clone(), name, limits, Arc::clone(&over)))
            })
            .collect();
        for task in tasks {
            task.await.map_err(Error::other)??;
        }
        recorder.shutdown(Duration::from_secs(2)).await;
        tell(&recorder)
    })?
}

async fn load(
    recorder: Recorder,
    name: String,
    (events, texts): (u32, u32),
    over: Arc<AtomicBool>,
) -> Result<(), Error> {
    let mut number = 0;
    while !over.load(Ordering::Acquire) {
        if number >= events {
            tokio::time::sleep(PAUSE).await;
            continue;
        }
        number += 1;
        let serial = format!("{name}.{number}");
        say(&format!("try {serial}"))?;
        match recorder.record_durable(event(&serial, texts)?).await {
            Ok(()) => say(&format!("ack {serial}"))?,
            Err(error) => {
                let why = error.to_string().replace('\n', " ");
                say(&format!("refused {serial} {why}"))?;
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
    Ok(())
}

/// Opens the spool as a service does after whatever happened, and delivers all that it has.
pub(crate) fn drain(args: &Drain) -> Result<(), Error> {
    let recorder = build(
        Recorder::builder(client(&args.url)?),
        open(args.spool.clone())?,
    )?;
    say("open")?;
    block_on(async {
        let until = tokio::time::Instant::now() + PATIENCE;
        while recorder.stats().spooled > 0 && tokio::time::Instant::now() < until {
            recorder.flush(Duration::from_millis(200)).await;
        }
        recorder.shutdown(PATIENCE).await;
        tell(&recorder)
    })?
}

fn open(path: PathBuf) -> Result<Spool, Error> {
    Spool::open(path).map_err(|error| {
        if error.is_locked() {
            std::process::exit(LOCKED);
        }
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        Error::Other(format!("{error}: {}", cause.unwrap_or_default()))
    })
}

fn build(builder: RecorderBuilder, spool: Spool) -> Result<Recorder, Error> {
    builder.spool(spool).build().map_err(Error::other)
}

pub(crate) fn client(url: &str) -> Result<WorkOs, Error> {
    let key = ApiKey::new(audit_server::DEFAULT_API_KEY).map_err(Error::other)?;
    let client = WorkOs::builder(key)
        .base_url(url)
        .rate_limit(RateLimit::unlimited());
    client.build().map_err(Error::other)
}

fn event(serial: &str, texts: u32) -> Result<Event, Error> {
    let mut event = Event::builder(ACTION)
        .organization(ORGANIZATION)
        .actor(Actor::system())
        .target(Target::new(TARGET, serial));
    for number in 0..texts {
        event = event.metadata(&format!("text{number}"), "a text ".repeat(70));
    }
    event.build().map_err(Error::other)
}

/// The ledger, and what the spool counts.
fn tell(recorder: &Recorder) -> Result<(), Error> {
    let Stats {
        accepted,
        recovered,
        generated,
        delivered,
        coalesced,
        pending,
        spooled,
        dead,
        lost,
        ..
    } = recorder.stats();
    let ends = delivered + coalesced + pending + spooled + dead + lost;
    let balanced = accepted + recovered + generated == ends;
    let spool = recorder.spool().map(Spool::status);
    let (left, damaged) = spool.map_or((0, 0), |status| (status.pending, status.damaged));
    say(&format!(
        "ledger balanced={} delivered={delivered} spooled={spooled} dead={dead} lost={lost} left={left} damaged={damaged} \
         accepted={accepted} recovered={recovered} pending={pending}",
        u8::from(balanced)
    ))
}

/// One line in one write, so that a process that is killed leaves whole lines, but for the last.
fn say(line: &str) -> Result<(), Error> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")
        .and_then(|()| out.flush())
        .map_err(Error::io("write a line"))
}

pub(crate) fn block_on<T>(work: impl Future<Output = T>) -> Result<T, Error> {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(2).enable_all().build();
    Ok(runtime
        .map_err(Error::io("start a runtime"))?
        .block_on(work))
}

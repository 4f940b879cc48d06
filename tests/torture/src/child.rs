//! The child processes: one records durable events, one delivers the rest.

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

use crate::error::Error;
use crate::partial::{PARTIAL_TIME, PartialSink};

pub(crate) const ACTION: &str = "torture.record";
pub(crate) const ORGANIZATION: &str = "org_local";
pub(crate) const TARGET: &str = "event";
/// The exit code of a process that found the spool locked.
pub(crate) const LOCKED: i32 = 7;
const TASKS: u32 = 4;
/// The pause after a refusal, so that a failing disk is not retried in a busy loop.
const PAUSE: Duration = Duration::from_millis(2);
const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Debug, clap::Args)]
pub(crate) struct Record {
    #[arg(long)]
    spool: PathBuf,
    /// Prefix of the process's event names
    #[arg(long)]
    name: String,
    /// URL of the server; without it, the sink hangs
    #[arg(long)]
    url: Option<String>,
    /// Number of events that each task records at most
    #[arg(long, default_value_t = 100)]
    events: u32,
    /// Every event with a multiple of this number fails always; 0 for none
    #[arg(long, default_value_t = 0)]
    fails: u32,
    /// Number of 500-byte texts in each event
    #[arg(long, default_value_t = 0)]
    texts: u32,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Drain {
    #[arg(long)]
    spool: PathBuf,
    #[arg(long)]
    url: String,
    /// Every event with a multiple of this number fails always; 0 for none
    #[arg(long, default_value_t = 0)]
    fails: u32,
    /// Send the dead letters again
    #[arg(long)]
    redrive: bool,
}

/// Records events until standard input ends. Prints `try` before each event, `ack` or `refused`
/// after it, and its ledger at the end.
pub(crate) fn record(args: &Record) -> Result<(), Error> {
    let spool = open(args.spool.clone())?;
    let recorder = match &args.url {
        Some(url) => build(Recorder::builder(sink(url, args.fails)?), spool)?,
        None => build(
            Recorder::builder(FaultSink::new(MemorySink::new()).hang()),
            spool,
        )?,
    };
    print("open")?;
    let over = Arc::new(AtomicBool::new(false));
    let ended = Arc::clone(&over);
    std::thread::spawn(move || {
        // A read error counts as the end.
        drop(std::io::stdin().read(&mut [0]));
        ended.store(true, Ordering::Release);
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
        print_ledger(&recorder)
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
        print(&format!("try {serial}"))?;
        match recorder.record_durable(event(&serial, texts)?).await {
            Ok(()) => print(&format!("ack {serial}"))?,
            Err(error) => {
                let reason = error.to_string().replace('\n', " ");
                print(&format!("refused {serial} {reason}"))?;
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
    Ok(())
}

/// Opens the spool as a service does after a fault, and delivers its events.
pub(crate) fn drain(args: &Drain) -> Result<(), Error> {
    let recorder = build(
        Recorder::builder(sink(&args.url, args.fails)?),
        open(args.spool.clone())?,
    )?;
    print("open")?;
    let patience = if args.fails > 0 {
        PARTIAL_TIME
    } else {
        PATIENCE
    };
    block_on(async {
        if args.redrive {
            redrive(&recorder).await?;
        }
        let until = tokio::time::Instant::now() + patience;
        while recorder.stats().spooled > 0 && tokio::time::Instant::now() < until {
            recorder.flush(Duration::from_millis(200)).await;
        }
        recorder.shutdown(patience).await;
        print_ledger(&recorder)
    })?
}

/// Makes every dead letter on the spool pending again.
async fn redrive(recorder: &Recorder) -> Result<(), Error> {
    let Some(spool) = recorder.spool() else {
        return Ok(());
    };
    let mut after = 0;
    loop {
        let page = spool.dead_letters(after, 256).await.map_err(Error::other)?;
        let Some(last) = page.last() else {
            return Ok(());
        };
        after = last.row;
        let rows = page.iter().map(|letter| letter.row).collect();
        recorder.redrive_spooled(rows).await.map_err(Error::other)?;
    }
}

fn sink(url: &str, fails: u32) -> Result<PartialSink, Error> {
    Ok(PartialSink {
        inner: client(url)?,
        every: fails,
    })
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

/// Prints the recorder's counters and those of the spool.
fn print_ledger(recorder: &Recorder) -> Result<(), Error> {
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
    let (left, damaged, kept_dead) = spool.map_or((0, 0, 0), |status| {
        (status.pending, status.corrupt_rows, status.dead)
    });
    print(&format!(
        "ledger balanced={} delivered={delivered} spooled={spooled} dead={dead} lost={lost} left={left} damaged={damaged} \
         kept_dead={kept_dead} \
         accepted={accepted} recovered={recovered} pending={pending}",
        u8::from(balanced)
    ))
}

/// Prints one line in one write, so that a killed process leaves only its last line incomplete.
fn print(line: &str) -> Result<(), Error> {
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

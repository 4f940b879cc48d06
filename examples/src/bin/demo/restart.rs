//! The service as a process of its own, which is killed while the audit service does not answer,
//! and started again.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use audit_tower::workos::{ApiKey, WorkOs};
use audit_tower::{Recorder, Spool};
use clap::ValueEnum;
use examples::service::AppState;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

use crate::client::Client;
use crate::framework::Framework;
use crate::outage::{ATTEMPT, CATCH_UP, HEALTHY, Phase, phase};
use crate::print::phases;
use crate::world::World;
use crate::{Args, PATIENCE, Result};

/// Where the child finds the server's key.
const KEY: &str = "AUDIT_DEMO_KEY";
/// How often is asked whether all has arrived.
const ASK_EVERY: Duration = Duration::from_millis(50);

/// What the service as a process of its own needs to know.
#[derive(Debug, clap::Args)]
pub(crate) struct AsChild {
    /// Where the audit log server is.
    #[arg(long, hide = true, requires = "spool")]
    child_of: Option<String>,
    /// Where events are kept on disk.
    #[arg(long, hide = true)]
    spool: Option<PathBuf>,
    /// The server's key, in the environment, since a command line is for all to see.
    #[arg(long, env = KEY, hide = true)]
    key: Option<String>,
}

impl AsChild {
    /// The address of the audit log server and the file of the spool, if this process is the
    /// service of another demo.
    pub(crate) fn asked_for(&self) -> Option<(&str, &Path)> {
        Some((self.child_of.as_deref()?, self.spool.as_deref()?))
    }
}

/// Sends requests, and kills the service in the middle of the outage; how many of their events are
/// missing in the end.
pub(crate) async fn drive(world: &World, args: &Args, outage: Duration) -> Result<u64> {
    let folder = tempfile::tempdir()?;
    let spool = folder.path().join("audit.spool");
    let before = world.stored()?.len() as u64;
    let arrived = || world.stored().map(|stored| stored.len() as u64 - before);
    // Each leaves an event.
    let mut requests = 0;
    let mut run = Vec::new();
    let mut note = |mut phase: Phase| -> Result<()> {
        requests += phase.requests() as u64;
        phase.pending = requests.saturating_sub(arrived()?);
        run.push(phase);
        Ok(())
    };

    let mut service = Service::start(world, args, &spool).await?;
    let ada = service.client().await?;
    note(phase(&ada, "before", HEALTHY).await?)?;
    world.stop_answering();
    note(phase(&ada, "outage", outage / 2).await?)?;
    service.process.kill().await?;

    let mut service = Service::start(world, args, &spool).await?;
    let ada = service.client().await?;
    note(phase(&ada, "killed", outage / 2).await?)?;
    world.answer_again();
    note(phase(&ada, "after", HEALTHY).await?)?;
    drop(ada);
    // The two sign-ins.
    requests += 2;

    let begun = Instant::now();
    while arrived()? < requests && begun.elapsed() < CATCH_UP {
        sleep(ASK_EVERY).await;
    }
    let caught_up = begun.elapsed().as_secs_f64();
    let said = service.end().await?;
    phases(&run);
    let arrived = arrived()?;
    anstream::println!(
        "\nAll caught up {caught_up:.1} s after the traffic ended. {requests} requests were answered, and the server has {arrived} events.\nThe service that was started again says: {said}"
    );
    Ok(requests.abs_diff(arrived))
}

/// The documents service as a process of its own.
struct Service {
    process: Child,
    address: SocketAddr,
    framework: Framework,
}

impl Service {
    async fn start(world: &World, args: &Args, spool: &Path) -> Result<Self> {
        let (url, key) = world
            .server()
            .ok_or("without a local server there is no outage")?;
        let framework = args.framework.to_possible_value();
        let mut command = Command::new(std::env::current_exe()?);
        command
            .args([
                "--child-of",
                url,
                "--organization",
                &world.organization,
                "--spool",
            ])
            .arg(spool);
        command.args(
            framework
                .iter()
                .flat_map(|value| ["--framework", value.get_name()]),
        );
        command.env(KEY, key);
        // It ends when its input does, so it does not outlive this process.
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        let mut process = command.spawn()?;
        let output = process.stdout.as_mut().ok_or("the service has no output")?;
        let mut line = String::new();
        timeout(PATIENCE, BufReader::new(output).read_line(&mut line)).await??;
        let address = line.trim().parse();
        let address =
            address.map_err(|_| format!("the service did not start; it said {line:?}"))?;
        Ok(Self {
            process,
            address,
            framework: args.framework,
        })
    }

    async fn client(&self) -> Result<Client> {
        Client::new(self.address, self.framework)?
            .quiet()
            .sign_in("ada")
            .await
    }

    /// Ends it, and gives its last words.
    async fn end(&mut self) -> Result<String> {
        drop(self.process.stdin.take());
        let mut words = String::new();
        if let Some(output) = &mut self.process.stdout {
            timeout(PATIENCE * 2, output.read_to_string(&mut words)).await??;
        }
        self.process.wait().await?;
        Ok(words.trim().to_owned())
    }
}

/// Serves until the input ends.
pub(crate) async fn serve(args: &Args, url: &str, spool: &Path) -> Result<()> {
    let organization = args.organization.as_deref().unwrap_or_default();
    let key = ApiKey::new(args.child.key.clone().unwrap_or_default())?;
    let workos = WorkOs::builder(key)
        .base_url(url)
        .request_timeout(ATTEMPT)
        .build()?;
    let recorder = Recorder::builder(workos)
        .fallback_organization(organization)
        .spool(Spool::open(spool)?)
        .build()?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    anstream::println!("{}", listener.local_addr()?);
    let stop = async {
        let mut nothing = Vec::new();
        drop(tokio::io::stdin().read_to_end(&mut nothing).await);
    };
    let state = AppState::new(organization);
    let served = args
        .framework
        .serve(listener, state, recorder.clone(), stop)
        .await;
    recorder.shutdown(PATIENCE).await;
    let stats = recorder.stats();
    anstream::println!(
        "recovered {}, accepted {}, delivered {}, lost {}",
        stats.recovered,
        stats.accepted,
        stats.delivered,
        stats.lost
    );
    Ok(served??)
}

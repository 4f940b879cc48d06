//! The service as a child process, which is killed during an outage of the audit service and
//! started again.

use std::net::SocketAddr;
use std::path::Path;
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

use crate::args::{Args, KEY_VARIABLE};
use crate::client::Client;
use crate::common::{DEADLINE, Result};
use crate::environment::{ATTEMPT_TIMEOUT, Environment};
use crate::framework::Framework;
use crate::phase::Phase;
use crate::print::print_phases;
use crate::traffic::{CATCH_UP, HEALTHY, run_phase};

/// Interval of the check that all events have arrived.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Sends requests and kills the service during the outage. Returns the number of missing events.
pub(crate) async fn drive(environment: &Environment, args: &Args, outage: Duration) -> Result<u64> {
    let folder = tempfile::tempdir()?;
    let spool = folder.path().join("audit.spool");
    let before = environment.stored()?.len() as u64;
    let arrived = || {
        environment
            .stored()
            .map(|stored| stored.len() as u64 - before)
    };
    // Each request leaves one event.
    let mut requests = 0;
    let mut phases = Vec::new();
    let mut add = |mut phase: Phase| -> Result<()> {
        requests += phase.requests() as u64;
        phase.pending = requests.saturating_sub(arrived()?);
        phases.push(phase);
        Ok(())
    };

    let mut service = Service::start(environment, args, &spool).await?;
    let ada = service.client().await?;
    add(run_phase(&ada, "before", HEALTHY).await?)?;
    environment.stop_responding();
    add(run_phase(&ada, "outage", outage / 2).await?)?;
    service.process.kill().await?;

    let mut service = Service::start(environment, args, &spool).await?;
    let ada = service.client().await?;
    add(run_phase(&ada, "killed", outage / 2).await?)?;
    environment.respond_again();
    add(run_phase(&ada, "after", HEALTHY).await?)?;
    drop(ada);
    // The two sign-ins leave events too.
    requests += 2;

    let started = Instant::now();
    while arrived()? < requests && started.elapsed() < CATCH_UP {
        sleep(POLL_INTERVAL).await;
    }
    let caught_up = started.elapsed().as_secs_f64();
    let summary = service.end().await?;
    print_phases(&phases);
    let arrived = arrived()?;
    anstream::println!(
        "\nAll events arrived {caught_up:.1} s after the end of the traffic. {requests} requests succeeded, and the server has {arrived} events.\nThe restarted service: {summary}"
    );
    Ok(requests.abs_diff(arrived))
}

/// The documents service as a child process.
struct Service {
    process: Child,
    address: SocketAddr,
    framework: Framework,
}

impl Service {
    async fn start(environment: &Environment, args: &Args, spool: &Path) -> Result<Self> {
        let (url, key) = environment
            .server()
            .ok_or("an outage needs a local server")?;
        let framework = args.framework.to_possible_value();
        let mut command = Command::new(std::env::current_exe()?);
        command
            .args([
                "--child-of",
                url,
                "--organization",
                &environment.organization,
                "--spool",
            ])
            .arg(spool);
        command.args(
            framework
                .iter()
                .flat_map(|value| ["--framework", value.get_name()]),
        );
        command.env(KEY_VARIABLE, key);
        // It stops at the end of its input, so it does not outlive this process.
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        let mut process = command.spawn()?;
        let output = process.stdout.as_mut().ok_or("the service has no output")?;
        let mut line = String::new();
        timeout(DEADLINE, BufReader::new(output).read_line(&mut line)).await??;
        let address = line.trim().parse();
        let address =
            address.map_err(|_| format!("the service did not start; its output is {line:?}"))?;
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

    /// Stops the service, and returns the rest of its output.
    async fn end(&mut self) -> Result<String> {
        drop(self.process.stdin.take());
        let mut rest = String::new();
        if let Some(output) = &mut self.process.stdout {
            timeout(DEADLINE * 2, output.read_to_string(&mut rest)).await??;
        }
        self.process.wait().await?;
        Ok(rest.trim().to_owned())
    }
}

/// Serves until the end of the standard input.
pub(crate) async fn serve(args: &Args, url: &str, spool: &Path) -> Result<()> {
    let organization = args.organization.as_deref().unwrap_or_default();
    let key = ApiKey::new(args.child.key.clone().unwrap_or_default())?;
    let workos = WorkOs::builder(key)
        .base_url(url)
        .request_timeout(ATTEMPT_TIMEOUT)
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
    recorder.shutdown(DEADLINE).await;
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

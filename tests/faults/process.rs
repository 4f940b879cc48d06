//! Threads, runtimes and processes that use a recorder, and their failures.

use std::process::{Child, Command};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use audit_server::LocalServer;
use audit_tower::testing::{FaultSink, assert_balanced};
use audit_tower::workos::{ApiKey, WorkOs};
use audit_tower::{Actor, Event, HealthState, MemorySink, RateLimit, Recorder, Target};
use tokio::runtime::{Builder, Runtime};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

use crate::support::event_of;

pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
/// The variable with the URL of the parent's server.
const URL: &str = "AUDIT_TEST_URL";
/// The variable with the path of the file that a child creates when it is ready.
const READY: &str = "AUDIT_TEST_READY";

fn client(url: &str, pace: RateLimit) -> WorkOs {
    let key = ApiKey::new("sk_test_local").unwrap();
    WorkOs::builder(key)
        .base_url(url)
        .rate_limit(pace)
        .build()
        .unwrap()
}

/// Starts a server that accepts the children's events.
fn server() -> LocalServer {
    let server = LocalServer::start().unwrap();
    let client = client(server.url(), RateLimit::unlimited());
    let schema = serde_json::json!({ "targets": [{ "type": "document" }] });
    let created = Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(async { client.create_schema("document.delete", &schema).await });
    created.unwrap();
    server
}

fn event() -> Event {
    let event = Event::builder("document.delete").organization("org_local");
    let event = event
        .actor(Actor::system())
        .target(Target::new("document", 42));
    event.build().unwrap()
}

/// Returns the command that runs a test of this binary as a child process.
pub(crate) fn child(test: &str, server: &LocalServer) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--ignored", "--nocapture"]);
    command.env(URL, server.url());
    command
}

#[expect(
    clippy::disallowed_methods,
    reason = "the parent configures its child by the environment"
)]
/// Returns a variable that the parent process set.
pub(crate) fn setting(name: &str) -> String {
    std::env::var(name).expect("set by the parent; this test runs as a child only")
}

#[test]
#[ignore = "run by fault_06 as a process of its own"]
fn child_with_a_guard() {
    let recorder = Recorder::builder(client(&setting(URL), RateLimit::unlimited()));
    let recorder = recorder.build().unwrap();
    let guard = recorder.guard();
    for _ in 0..20 {
        recorder.record(event()).unwrap();
    }
    drop(guard);
    assert_eq!(recorder.stats().delivered, 20);
    assert_balanced(&recorder);
}

#[test]
#[ignore = "run by fault_06 as a process of its own"]
fn child_that_leaks_its_recorder() {
    let recorder = Recorder::builder(client("http://127.0.0.1:9", RateLimit::unlimited()));
    let recorder = recorder.build().unwrap();
    recorder.record(event()).unwrap();
    assert_balanced(&recorder);
    std::mem::forget(recorder);
}

#[test]
fn fault_06_guard_delivers_at_process_exit_and_a_leaked_recorder_does_not_delay_exit() {
    let server = server();
    let status = child("process::child_with_a_guard", &server)
        .status()
        .unwrap();
    assert!(status.success());
    assert_eq!(server.stats().unwrap().accepted(), 20);

    let mut leaking = child("process::child_that_leaks_its_recorder", &server);
    run_with_timeout("a process with a leaked recorder", move || {
        assert!(leaking.status().unwrap().success());
    });
}

#[test]
fn fault_07_recorder_outlives_the_runtime_of_its_caller() {
    let sink = FaultSink::new(MemorySink::new()).hang();
    let first = Builder::new_multi_thread().build().unwrap();
    let recorder = first.block_on(async { Recorder::builder(sink.clone()).build().unwrap() });
    first.block_on(async { recorder.record(event_of("org_1")).unwrap() });
    pollster::block_on(sink.wait_for_attempts(1));
    // An attempt is in flight.
    drop(first);
    let second = Builder::new_current_thread().build().unwrap();
    second.block_on(async { recorder.record(event_of("org_1")).unwrap() });
    drop(second);
    let handle = recorder.clone();
    std::thread::spawn(move || handle.record(event_of("org_1")).unwrap())
        .join()
        .unwrap();
    sink.recover();
    assert!(recorder.shutdown_blocking(PATIENCE).is_complete());
    assert_eq!(sink.inner().events().len(), 3);
    assert_balanced(&recorder);
}

/// Runs work on a thread and fails if it does not finish.
fn run_with_timeout(name: &str, work: impl FnOnce() + Send + 'static) {
    let (done, wait) = mpsc::channel();
    std::thread::spawn(move || {
        work();
        let _ = done.send(());
    });
    assert!(
        wait.recv_timeout(PATIENCE).is_ok(),
        "{name} hangs or panicked"
    );
}

#[test]
fn fault_08_no_call_deadlocks_in_any_runtime() {
    type Make = fn() -> Runtime;
    let runtimes: [(&str, Make); 3] = [
        ("many threads", || {
            Builder::new_multi_thread()
                .worker_threads(4)
                .build()
                .unwrap()
        }),
        ("one worker", || {
            Builder::new_multi_thread()
                .worker_threads(1)
                .build()
                .unwrap()
        }),
        ("current thread", || {
            Builder::new_current_thread().build().unwrap()
        }),
    ];
    for (name, make) in runtimes {
        run_with_timeout(name, move || {
            // In a task, so that a worker thread blocks if there are workers.
            make().block_on(async { tokio::spawn(every_call()).await.unwrap() });
        });
    }
    run_with_timeout("another executor", || pollster::block_on(every_call()));
    run_with_timeout("no executor", || {
        let recorder = Recorder::builder(MemorySink::new()).build().unwrap();
        recorder.record(event_of("org_1")).unwrap();
        assert!(recorder.flush_blocking(PATIENCE).is_complete());
        recorder.record(event_of("org_1")).unwrap();
        assert!(recorder.shutdown_blocking(PATIENCE).is_complete());
        assert_eq!(recorder.stats().delivered, 2);
        assert_balanced(&recorder);
    });
}

async fn every_call() {
    let recorder = Recorder::builder(MemorySink::new()).build().unwrap();
    recorder.record(event_of("org_1")).unwrap();
    assert!(recorder.flush(PATIENCE).await.is_complete());
    assert_eq!(recorder.stats().delivered, 1);
    recorder.record(event_of("org_1")).unwrap();
    // Blocking calls inside the runtime: its thread blocks, delivery continues.
    assert!(recorder.flush_blocking(PATIENCE).is_complete());
    assert_eq!(recorder.stats().delivered, 2);
    recorder.record(event_of("org_1")).unwrap();
    let report = recorder.shutdown(PATIENCE).await;
    assert_eq!(recorder.stats().delivered, 3);
    assert_eq!(recorder.shutdown_blocking(PATIENCE), report);
    assert_balanced(&recorder);
}

/// A log layer that panics on the first lines of the dispatcher.
struct Panics {
    left: Mutex<u32>,
}

impl<S: tracing::Subscriber> Layer<S> for Panics {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        let is_ours = event.metadata().target().starts_with("audit_core");
        let mut left = self
            .left
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        if is_ours && *left > 0 {
            *left -= 1;
            drop(left);
            panic!("on purpose");
        }
    }
}

#[test]
#[ignore = "run by fault_10 as a process of its own, since it sets the process's subscriber"]
fn child_with_panicking_log() {
    // Each message is logged at most once in ten seconds, so three panics need three messages.
    let left = Mutex::new(3);
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(Panics { left }))
        .unwrap();
    let sink = FaultSink::new(MemorySink::new())
        .fail_times(1)
        .reject_times(2);
    let builder = Recorder::builder(sink.clone()).on_dead_letter(|_| panic!("on purpose too"));
    let recorder = builder.build().unwrap();
    for _ in 0..10 {
        let event = Event::builder("document.delete").actor(Actor::system());
        recorder
            .record(event.organization("org_1").build().unwrap())
            .unwrap();
    }
    // The messages about the retry, the dead letter and the hook panic in the middle of the
    // dispatcher's work.
    recorder.flush_blocking(PATIENCE);
    let stats = recorder.stats();
    assert_eq!((stats.delivered, stats.dead), (8, 2));
    assert_eq!(sink.inner().events().len(), 8);
    let health = recorder.health();
    assert_eq!(health.state, HealthState::Degraded);
    assert!(health.problems[0].reason.contains("rejected events"));
    assert_eq!(health.problems.len(), 1, "{health:?}");
    assert_balanced(&recorder);
    assert!(
        !recorder
            .record(event_of("org_1"))
            .is_err_and(|error| error.is_down())
    );
}

#[test]
fn fault_10_panicked_dispatcher_restarts_with_its_events() {
    let server = LocalServer::start().unwrap();
    let status = child("process::child_with_panicking_log", &server).status();
    assert!(status.unwrap().success());
}

#[test]
#[ignore = "run by fault_35 as a process of its own"]
fn child_that_is_stopped() {
    let recorder = Recorder::builder(client(&setting(URL), RateLimit::per_second(10.0)));
    let recorder = recorder.build().unwrap();
    for _ in 0..150 {
        recorder.record(event()).unwrap();
    }
    std::fs::write(setting(READY), "").unwrap();
    assert!(recorder.flush_blocking(PATIENCE).is_complete());
    assert_eq!(recorder.stats().delivered, 150);
    assert_balanced(&recorder);
}

fn signal(child: &Child, signal: &str) {
    let sent = Command::new("kill")
        .args([signal, &child.id().to_string()])
        .status();
    assert!(
        sent.unwrap().success(),
        "`kill {signal}` comes with the package procps"
    );
}

#[test]
fn fault_35_rate_limit_holds_after_the_process_was_stopped() {
    let server = server();
    let folder = std::env::temp_dir().join(format!("audit-ready-{}", std::process::id()));
    let mut command = child("process::child_that_is_stopped", &server);
    let begun = Instant::now();
    let mut child = command.env(READY, &folder).spawn().unwrap();
    while !folder.exists() {
        std::thread::yield_now();
    }
    // The burst is 50; further attempts follow the rate limit.
    let delivered = || server.stats().unwrap().accepted();
    while delivered() < 60 {
        std::thread::sleep(Duration::from_millis(5));
    }
    signal(&child, "-STOP");
    std::thread::sleep(Duration::from_secs(3));
    signal(&child, "-CONT");
    loop {
        // In this order, so that the allowance is never read before the deliveries.
        let arrived = delivered();
        let allowed = 50.0 + 10.0 * begun.elapsed().as_secs_f64() + 1.0;
        assert!(
            arrived as f64 <= allowed,
            "{arrived} arrived, {allowed} are allowed"
        );
        if arrived == 150 {
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(child.wait().unwrap().success());
    drop(std::fs::remove_file(folder));
}

/// A log layer that records an event for every message.
struct Records {
    recorder: Recorder,
    seen: Arc<Mutex<u32>>,
}

impl<S: tracing::Subscriber> Layer<S> for Records {
    fn on_event(&self, _: &tracing::Event<'_>, _: Context<'_, S>) {
        *self.seen.lock().unwrap() += 1;
        // Without an actor, which the recorder logs.
        drop(self.recorder.record(event_of("org_1")));
    }
}

#[test]
fn fault_38_events_can_be_recorded_from_log_drop_and_panic_hook() {
    let recorder = Recorder::builder(MemorySink::new()).build().unwrap();
    let seen = Arc::new(Mutex::new(0));
    let records = Records {
        recorder: recorder.clone(),
        seen: Arc::clone(&seen),
    };
    let log = tracing_subscriber::registry().with(records);
    tracing::subscriber::with_default(log, || {
        for _ in 0..100 {
            tracing::info!("a line");
        }
    });
    // 100 messages, and the recorder's one warning about them, which is a message itself.
    let lines = *seen.lock().unwrap();
    assert!((100..=102).contains(&lines), "{lines}");

    struct Drops(Recorder);
    impl Drop for Drops {
        fn drop(&mut self) {
            self.0.record(event_of("org_1")).unwrap();
        }
    }
    let before = std::panic::take_hook();
    let hook = recorder.clone();
    std::panic::set_hook(Box::new(move |_| hook.record(event_of("org_1")).unwrap()));
    let drops = Drops(recorder.clone());
    let panicked = std::thread::spawn(move || {
        let _drops = drops;
        panic!("on purpose");
    });
    assert!(panicked.join().is_err());
    std::panic::set_hook(before);

    let report = recorder.shutdown_blocking(PATIENCE);
    assert_eq!(report.lost, 0);
    assert_eq!(recorder.stats().delivered, u64::from(lines) + 2);
    assert_balanced(&recorder);
}

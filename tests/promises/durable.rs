//! Promise: durable events are on disk before the response is sent, with one wait per request.

use std::path::{Path, PathBuf};
use std::time::Duration;

use audit_actix::AuditMiddleware;
use audit_tower::testing::FaultSink;
use audit_tower::{
    Actor, AuditLayer, HealthState, MemorySink, Recorder, RecorderBuilder, Spool, audited, record,
    record_durable,
};
use axum::Router;
use axum::body::Body;
use axum::extract::Path as Segment;
use axum::http::{Request, StatusCode};
use axum::routing::delete;
use tempfile::TempDir;
use tower::ServiceExt;

use crate::support::PATIENCE;

#[audited(action = "document.delete", target = "id", durable)]
async fn delete_document(Segment(id): Segment<u64>) -> StatusCode {
    if id == 0 {
        return StatusCode::FORBIDDEN;
    }
    StatusCode::NO_CONTENT
}

#[audited(action = "document.delete", target = "id", durable)]
async fn delete_later(id: u64) -> Result<u64, String> {
    tokio::task::yield_now().await;
    Ok(id)
}

#[audited(action = "document.delete", target = "id", durable)]
fn delete_now(id: u64) {}

#[audited(action = "document.delete", target = "id", durable)]
fn delete_in_a_future(id: u64) -> impl Future<Output = u64> {
    async move { id }
}

#[audit_actix::audited(action = "document.delete", target(document = *id), durable)]
async fn delete_on_actix(id: actix_web::web::Path<u64>) -> actix_web::HttpResponse {
    actix_web::HttpResponse::NoContent().finish()
}

/// A folder with a spool, and a recorder whose sink hangs, so that spooled events stay there.
struct Disk {
    folder: TempDir,
    recorder: Recorder,
}

impl Disk {
    fn path(folder: &TempDir) -> PathBuf {
        folder.path().join("audit.spool")
    }

    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let sink = FaultSink::new(MemorySink::new()).hang();
        let recorder = with_spool(Recorder::builder(sink), &folder).build();
        Self {
            folder,
            recorder: recorder.unwrap(),
        }
    }

    /// Returns the number of events another process would recover if this one were killed now.
    fn events(&self) -> u64 {
        let copies = tempfile::tempdir().unwrap();
        let copy = Self::path(&copies);
        for end in ["", "-wal"] {
            let with = |path: &Path| PathBuf::from(format!("{}{end}", path.display()));
            std::fs::copy(with(&Self::path(&self.folder)), with(&copy)).unwrap();
        }
        Spool::open(copy).unwrap().status().pending
    }
}

fn with_spool(builder: RecorderBuilder, folder: &TempDir) -> RecorderBuilder {
    let builder = builder.fallback_organization("org_1");
    builder.spool(Spool::open(Disk::path(folder)).unwrap())
}

#[tokio::test]
async fn durable_event_is_on_disk_before_the_response_of_the_layer() {
    let disk = Disk::new();
    let app = Router::new()
        .route("/documents/{id}", delete(delete_document))
        .layer(AuditLayer::new(disk.recorder.clone()));
    // In process: a network round trip would give the disk time to catch up.
    for (id, status) in [(7, 204), (0, 403)] {
        let request = Request::delete(format!("/documents/{id}")).body(Body::empty());
        let response = app.clone().oneshot(request.unwrap()).await.unwrap();
        assert_eq!(response.status().as_u16(), status);
    }
    assert_eq!(disk.events(), 2);
    let stats = disk.recorder.stats();
    assert_eq!((stats.accepted, stats.deadline_exceeded), (2, 0));
}

#[actix_web::test]
async fn durable_event_is_on_disk_before_the_response_of_the_middleware() {
    let disk = Disk::new();
    let app = actix_web::App::new()
        .route(
            "/documents/{id}",
            actix_web::web::delete().to(delete_on_actix),
        )
        .wrap(AuditMiddleware::new(disk.recorder.clone()));
    let app = actix_web::test::init_service(app).await;
    let request = actix_web::test::TestRequest::delete().uri("/documents/7");
    let response = actix_web::test::call_service(&app, request.to_request()).await;
    assert_eq!(response.status().as_u16(), 204);
    assert_eq!(
        (disk.events(), disk.recorder.stats().deadline_exceeded),
        (1, 0)
    );
}

#[tokio::test]
async fn job_waits_for_durable_events_once_at_its_end() {
    let disk = Disk::new();
    let job = disk.recorder.scope().actor(Actor::service("clean-up"));
    let during = job.run(async {
        delete_later(1).await.unwrap();
        delete_now(2);
        delete_in_a_future(3).await;
        record!("document.delete", target(document = 4), durable);
        // The scope completes and records events at its end.
        disk.recorder.stats().accepted
    });
    assert_eq!(during.await, 0);
    assert_eq!(disk.events(), 4);
    disk.recorder
        .scope()
        .actor(Actor::system())
        .run_sync(|| delete_now(5));
    assert_eq!((disk.events(), disk.recorder.stats().accepted), (5, 5));
}

#[tokio::test]
async fn audited_function_outside_a_scope_waits_itself() {
    let disk = Disk::new();
    disk.recorder.install().unwrap();
    delete_later(1).await.unwrap();
    assert_eq!(disk.events(), 1);
    // Only a thread of the runtime is never blocked.
    std::thread::spawn(|| delete_now(2)).join().unwrap();
    assert_eq!(disk.events(), 2);
    delete_in_a_future(3).await;
    assert_eq!(disk.events(), 3);
    record_durable!("document.delete", target(document = 4))
        .await
        .unwrap();
    assert_eq!(disk.events(), 4);
    assert_eq!(disk.recorder.stats().deadline_exceeded, 0);
}

/// Blocks writes to the spool, as another program with a transaction on the file does.
fn lock_spool(folder: &TempDir) -> rusqlite::Connection {
    let connection = rusqlite::Connection::open(Disk::path(folder)).unwrap();
    connection.busy_timeout(PATIENCE).unwrap();
    connection.execute_batch("BEGIN IMMEDIATE").unwrap();
    connection
}

#[test]
fn late_durable_event_does_not_delay_the_caller_and_is_written_later() {
    let folder = tempfile::tempdir().unwrap();
    let sink = MemorySink::new();
    let builder = with_spool(Recorder::builder(sink.clone()), &folder);
    let deadline = Duration::from_millis(50);
    let recorder = builder.durable_deadline(deadline).build().unwrap();
    let lock = lock_spool(&folder);
    let job = || recorder.scope().actor(Actor::system());
    job().run_sync(|| delete_now(1));
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.build().unwrap();
    runtime.block_on(job().run(async { delete_now(2) }));
    assert_eq!(recorder.stats().deadline_exceeded, 2);
    let health = recorder.health();
    assert_eq!(health.state, HealthState::Unhealthy, "{health:?}");
    lock.execute_batch("ROLLBACK").unwrap();
    while recorder.stats().delivered < 2 {
        recorder.flush_blocking(Duration::from_millis(50));
    }
    assert_eq!((recorder.stats().accepted, sink.events().len()), (2, 2));
}

#[tokio::test]
async fn durable_event_without_a_spool_is_queued_and_counted_as_late() {
    let sink = MemorySink::new();
    let builder = Recorder::builder(sink.clone()).fallback_organization("org_1");
    let recorder = builder.build().unwrap();
    recorder
        .scope()
        .actor(Actor::system())
        .run(async { delete_now(1) })
        .await;
    recorder.flush(PATIENCE).await;
    assert_eq!(
        (recorder.stats().deadline_exceeded, sink.events().len()),
        (1, 1)
    );
    assert!(
        recorder
            .health()
            .reason
            .unwrap()
            .contains("not on the disk in time")
    );
}

#[tokio::test]
async fn durable_event_is_queued_when_the_spool_is_full() {
    let folder = tempfile::tempdir().unwrap();
    let sink = MemorySink::new();
    let builder = Recorder::builder(sink.clone()).fallback_organization("org_1");
    let spool = Spool::builder(Disk::path(&folder)).max_bytes(1).open();
    let recorder = builder.spool(spool.unwrap()).build().unwrap();
    let job = recorder.scope().actor(Actor::system());
    job.run(delete_later(1)).await.unwrap();
    recorder.flush(PATIENCE).await;
    assert_eq!(
        (recorder.stats().deadline_exceeded, sink.events().len()),
        (1, 1)
    );
}

#[test]
fn shutdown_ends_the_durable_wait_and_counts_the_event_as_lost() {
    let folder = tempfile::tempdir().unwrap();
    let unavailable = FaultSink::new(MemorySink::new()).hang();
    let builder = with_spool(Recorder::builder(unavailable), &folder);
    let recorder = builder.durable_deadline(PATIENCE * 10).build().unwrap();
    let lock = lock_spool(&folder);
    let job = recorder.scope().actor(Actor::system());
    let waiting = std::thread::spawn(|| job.run_sync(|| delete_now(1)));
    while recorder.stats().accepted == 0 {
        std::thread::yield_now();
    }
    // The disk has not answered by the deadline.
    let report = recorder.shutdown_blocking(Duration::ZERO);
    assert_eq!((report.pending, report.lost), (1, 0));
    waiting.join().unwrap();
    // The disk refuses it later, when no caller waits any more.
    while recorder.stats().lost == 0 {
        std::thread::yield_now();
    }
    let stats = recorder.stats();
    assert_eq!((stats.lost, stats.deadline_exceeded), (1, 1));
    assert_eq!((stats.accepted, stats.spooled, stats.pending), (1, 0, 0));
    drop(lock);
}

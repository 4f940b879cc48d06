//! Audit logging for axum, tonic and any tower HTTP service.
//!
//! [`AuditLayer`] opens a [`Scope`] for each request, and takes actor, organization and client
//! address from the request. [`#[audited]`](macro@audited) on a function records each call as one
//! event. The handler never waits for the network.
//!
//! ```
//! use audit_tower::{Actor, AuditLayer, MemorySink, OrganizationId, Principal, Recorder, audited};
//! use axum::{Router, extract::{Path, Request}, http::StatusCode, middleware::{self, Next}, response::Response, routing::delete};
//!
//! #[derive(Clone)]
//! struct CurrentUser { id: String, name: String, organization: OrganizationId }
//!
//! impl Principal for CurrentUser {
//!     fn actor(&self) -> Actor {
//!         Actor::user(&self.id).name(&self.name)
//!     }
//!     fn organization(&self) -> Option<OrganizationId> {
//!         Some(self.organization.clone())
//!     }
//! }
//!
//! async fn sign_in(mut request: Request, next: Next) -> Response {
//!     let user = CurrentUser { id: "u1".into(), name: "Ada".into(), organization: "org_1".into() };
//!     request.extensions_mut().insert(user);
//!     next.run(request).await
//! }
//!
//! // audit.toml:
//! // [action."document.delete"]
//! // targets = ["document"]
//! #[audited(action = "document.delete", target = "doc_id")]
//! async fn delete_document(Path(doc_id): Path<u64>) -> StatusCode {
//!     StatusCode::NO_CONTENT
//! }
//!
//! let recorder = Recorder::builder(MemorySink::new()).build()?; // in production `WorkOs::from_env()?`
//! let app: Router = Router::new()
//!     .route("/documents/{doc_id}", delete(delete_document))
//!     .layer(AuditLayer::new(recorder.clone()).principal::<CurrentUser>())
//!     .layer(middleware::from_fn(sign_in)); // in axum, the layer that is added last runs first
//! # Ok::<_, audit_tower::BuildError>(())
//! ```
//!
//! On shutdown, stop the server first and the recorder second, so that the last events are
//! delivered: after `axum::serve(..).with_graceful_shutdown(..).await`, call
//! [`recorder.shutdown(deadline).await`](Recorder::shutdown).
//!
//! | topic | sections |
//! | --- | --- |
//! | events | [the attribute](#the-attribute), [events without a function](#events-without-a-function), [action names](#action-names), [outcomes](#outcomes), [secrets](#secrets) |
//! | requests | [actor, organization and context](#actor-organization-and-context), [the client's address](#the-clients-address), [denials](#denials), [requests without an event](#requests-without-an-event), [audit by route](#audit-by-route), [gRPC](#grpc), [outside of requests](#outside-of-requests) |
//! | the catalog | [schema versions](#schema-versions), [coalescing](#coalescing) |
//! | delivery | [the queue and retries](#delivery), [health and metrics](#health-and-metrics), [missing events](#missing-events), [the spool](#the-spool), [durable events](#durable-events), [sinks](#sinks), [the WorkOS client](#the-workos-client) |
//! | development | [tests](#tests), [tools](#tools), [features](#features) |
//!
//! # The attribute
//!
//! [`#[audited]`](macro@audited) goes on async and sync functions and methods, functions that
//! return a future, and the functions of an `#[async_trait]` block. It names the action, the
//! targets and the metadata; the compiler checks all of them against the catalog, `audit.toml`.
//!
//! ```
//! use audit_tower::audited;
//! # struct Share { role: String }
//! # #[derive(Debug)] struct Link { id: u64 }
//!
//! // audit.toml:
//! // [action."document.share"]
//! // targets = ["document"]
//! // [action."document.share".metadata]
//! // role = "string"
//! #[audited(
//!     action = "document.share",
//!     target(document = doc_id, name = title),
//!     metadata(role = share.role),
//!     error = display,
//! )]
//! async fn share(doc_id: u64, title: &str, share: Share) -> Result<Link, std::io::Error> {
//!     Ok(Link { id: 7 })
//! }
//!
//! // A created object: its id is known only from a successful result.
//! #[audited(action = "document.delete", target(document = ok.id))]
//! fn copy(source: u64) -> Result<Link, std::io::Error> {
//!     Ok(Link { id: source + 1 })
//! }
//! ```
//!
//! | argument | records |
//! | --- | --- |
//! | `target = "doc_id"`, `target(document = expression)` | one target: a parameter by name, or any expression; with `name = ..` and `metadata(..)` of the target |
//! | `target(user in collection)` | one target for each item |
//! | `metadata(role = expression)` | metadata of the event |
//! | `actor = ..`, `organization = ..` | instead of those of the request |
//! | `on = [succeeded, denied]` | only calls with these outcomes |
//! | `error = display` | the text of an error |
//! | `event = ev` | values that the body adds through `ev: &mut Draft` |
//! | `durable` | see [durable events](#durable-events) |
//!
//! An expression with `ok` reads the value of a successful result.
//!
//! # Events without a function
//!
//! [`record!`] records one event at the point where it is written, with the same checks. It never
//! fails: an event that the recorder refuses is counted. [`try_record!`] returns the event's id, or
//! the error. `record_durable!` returns a future, which is ready when the event is on disk (see
//! [durable events](#durable-events)).
//!
//! ```
//! use audit_tower::{record, try_record};
//!
//! async fn clean_up(expired: Vec<u64>) {
//!     for id in expired {
//!         record!("document.delete", target(document = id));
//!     }
//!     match try_record!("document.delete", target(document = 42)) {
//!         Ok(id) => println!("recorded as {id}"),
//!         Err(error) => println!("not recorded: {error}"),
//!     }
//! }
//! ```
//!
//! # Action names
//!
//! [`action!`] is the name of one action as a checked constant. [`catalog!`] makes a module with a
//! constant for each action, which editors complete.
//!
//! ```
//! use audit_tower::{Action, action, audited, catalog};
//!
//! const DELETE: Action = action!("document.delete");
//!
//! catalog! {
//!     pub mod actions;
//! }
//!
//! #[audited(action = actions::DOCUMENT_DELETE, target = "id")]
//! fn delete(id: u64) {}
//! ```
//!
//! # Outcomes
//!
//! Every call ends with one [`Outcome`]:
//!
//! | outcome | the call |
//! | --- | --- |
//! | `succeeded` | returned `Ok`, or a status below 400 |
//! | `denied` | returned an error or a status that is a denial, such as 401 and 403 |
//! | `failed` | returned any other error, or another status of 400 and above |
//! | `panicked` | panicked; the panic continues |
//! | `abandoned` | was dropped before it completed, as when the client disconnects |
//!
//! The outcome is read from a `Result`, a `StatusCode`, an `http::Response`, a tuple with one of
//! them, or a type that implements [`AuditOutcome`]. If the value leaves it open, the status of the
//! response settles it: see [`AuditLayer`](AuditLayer#outcomes).
//!
//! ```
//! use audit_tower::{AuditOutcome, Outcome};
//!
//! enum AppError { NotOwner, Database }
//!
//! impl AuditOutcome for AppError {
//!     fn audit_outcome(&self) -> Outcome {
//!         match self {
//!             Self::NotOwner => Outcome::Denied,
//!             Self::Database => Outcome::Failed,
//!         }
//!     }
//! }
//! ```
//!
//! # Secrets
//!
//! A [`Secret<T>`](Secret) does not compile as a part of an event, and its `Debug` shows no
//! content. Only what the attribute names is captured; no body is read. The API key is never
//! printed.
//!
//! # Actor, organization and context
//!
//! [`AuditLayer`] takes the [`Principal`] from the request's extensions or from a function, and the
//! organization from the principal, a function or a path parameter. The `User-Agent`,
//! `X-Request-ID` and `traceparent` headers go into the event. A handler that determines the actor
//! itself takes [`Audit`], an extractor:
//!
//! ```
//! use audit_tower::{Actor, Audit};
//!
//! async fn accept_invitation(audit: Audit) {
//!     audit.set_actor(Actor::user("user_42"));
//!     audit.set_organization("org_7");
//! }
//! # let _: axum::Router = axum::Router::new().route("/", axum::routing::post(accept_invitation));
//! ```
//!
//! # The client's address
//!
//! With axum, serve with `app.into_make_service_with_connect_info::<SocketAddr>()`: the address of
//! the peer is then the event's location. Without it the location is `unknown`, and one log line
//! explains the cause.
//!
//! Behind proxies, the peer is a proxy. Name their networks and the header that they append to; the
//! location is then the nearest address that is not one of theirs:
//!
//! ```
//! # use audit_tower::{AuditLayer, MemorySink, Recorder, TrustedProxies};
//! # let recorder = Recorder::builder(MemorySink::new()).build()?;
//! let layer = AuditLayer::new(recorder)
//!     .trusted_proxies(TrustedProxies::x_forwarded_for(["10.0.0.0/8", "fd00::/8"])?);
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! [`TrustedProxies::forwarded`] reads the standard header, [`TrustedProxies::header`] one with a
//! single address, such as `cf-connecting-ip`. A header from any other peer is never read.
//! Addresses to the left of the client's are never recorded, since the client can forge them.
//!
//! # Denials
//!
//! If the catalog names another action under `denied`, a call with the outcome `denied` is recorded
//! under that action:
//!
//! ```toml
//! [action."document.share"]
//! targets = ["document"]
//! denied = "document.share_denied"
//!
//! [action."document.share_denied"]
//! targets = ["document"]
//! ```
//!
//! A request with a 401 or 403 response that reached no audited function is recorded with
//! [`AuditLayer::denied_as`]. Its one target is the route:
//!
//! ```
//! # use audit_tower::{AuditLayer, MemorySink, Recorder, action};
//! # let recorder = Recorder::builder(MemorySink::new()).build()?;
//! let layer = AuditLayer::new(recorder).denied_as(action!("access.denied"));
//! # Ok::<_, audit_tower::BuildError>(())
//! ```
//!
//! # Requests without an event
//!
//! A POST, PUT, PATCH or DELETE that succeeds without an event is counted, and one warning is
//! logged for its route. [`AuditLayer::on_unaudited`] makes it a panic in tests, or turns the
//! warning off. [`#[unaudited(reason = "..")]`](macro@unaudited) exempts a handler that changes
//! nothing:
//!
//! ```
//! use audit_tower::unaudited;
//!
//! #[unaudited(reason = "a search changes nothing")]
//! async fn search() -> &'static str {
//!     "results"
//! }
//! ```
//!
//! # Audit by route
//!
//! [`AuditRoute`] records the requests of a route without a change to its handler. The event takes
//! its values from the request:
//!
//! ```
//! # use audit_tower::{AuditRoute, action, path};
//! # use axum::{Router, routing::delete};
//! # async fn delete_document() {}
//! let audit = AuditRoute::new(action!("document.delete")).target("document", path("doc_id"));
//! let app: Router = Router::new()
//!     .route("/documents/{doc_id}", delete(delete_document).layer(audit));
//! ```
//!
//! # gRPC
//!
//! Add the layer to tonic's server. With the feature `tonic`, the peer of its connection is the
//! client. The attribute goes on the methods of a service, and reads the message through the
//! request:
//!
//! ```
//! use audit_tower::{Actor, AuditLayer, MemorySink, Principal, Recorder, audited};
//! use tonic::{Request, Response, Status, service::InterceptorLayer, transport::Server};
//! # pub struct DeleteRequest { id: String }
//! # #[tonic::async_trait]
//! # pub trait Documents {
//! #     async fn delete(&self, request: Request<DeleteRequest>) -> Result<Response<()>, Status>;
//! # }
//!
//! # pub
//! struct Service;
//!
//! #[tonic::async_trait]
//! impl Documents for Service {
//!     #[audited(action = "document.delete", target(document = request.get_ref().id))]
//!     async fn delete(&self, request: Request<DeleteRequest>) -> Result<Response<()>, Status> {
//!         Err(Status::permission_denied("not the owner")) // an event with the outcome `denied`
//!     }
//! }
//!
//! #[derive(Clone)]
//! struct CurrentUser { id: String }
//!
//! impl Principal for CurrentUser {
//!     fn actor(&self) -> Actor {
//!         Actor::user(&self.id)
//!     }
//! }
//!
//! fn sign_in(mut request: Request<()>) -> Result<Request<()>, Status> {
//!     request.extensions_mut().insert(CurrentUser { id: "u1".into() });
//!     Ok(request)
//! }
//!
//! let recorder = Recorder::builder(MemorySink::new()).build()?;
//! let server = Server::builder()
//!     .layer(InterceptorLayer::new(sign_in)) // in tonic, the layer that is added first runs first
//!     .layer(AuditLayer::new(recorder.clone()).principal::<CurrentUser>());
//! # Ok::<_, audit_tower::BuildError>(())
//! ```
//!
//! An error of the method is `failed`, or `denied` if its code is `PERMISSION_DENIED` or
//! `UNAUTHENTICATED`. The event's `status` is the HTTP status that the code corresponds to. A
//! stream no longer changes the outcome after it was opened. A call that the interceptor rejects
//! does not reach the layer.
//!
//! Every gRPC call is a POST, so a method that only reads is reported as a change without an event:
//! put `#[unaudited(reason = "..")]` on it. The route in reports is the path,
//! `/package.Service/Method`, which holds no ids.
//!
//! # Outside of requests
//!
//! A job runs in a scope of its own: [`Scope::run`], or [`Scope::run_sync`] for code that is not
//! async. [`Scope::in_scope`] carries the scope of a request into a spawned task.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use audit_tower::{Actor, MemorySink, Recorder, Scope};
//! # async fn clean_up() {}
//! # async fn notify() {}
//!
//! let recorder = Recorder::builder(MemorySink::new()).build()?;
//! recorder.scope().actor(Actor::service("clean-up")).organization("org_1").run(clean_up()).await;
//!
//! // In a handler:
//! if let Some(scope) = Scope::current() {
//!     tokio::spawn(scope.in_scope(notify()));
//! }
//! # Ok(()) }
//! ```
//!
//! # Schema versions
//!
//! The service validates each event against a version of its action's schema. `audited schema push`
//! registers the schemas of `audit.toml`, and writes the versions of each environment to
//! `audit.lock` beside it. With the catalog and the environment, the recorder sends each event with
//! its version. Without them, the service validates events against version 1.
//!
//! ```
//! use audit_tower::{MemorySink, Recorder, catalog};
//!
//! let recorder = Recorder::builder(MemorySink::new()).catalog(catalog!()).build()?;
//! // In production also `.environment("production")`, by its name in audit.lock.
//! # Ok::<_, audit_tower::BuildError>(())
//! ```
//!
//! For completion and checks in editors with Taplo, the first line of `audit.toml` names the JSON
//! Schema of the file: `#:schema path/to/audit.schema.json`, from the folder `audit-catalog`.
//!
//! # Coalescing
//!
//! Coalescing limits the number of equal events, such as failed sign-ins during an attack. Of the
//! events with the same key, the first in a window is delivered immediately. When the window
//! closes, the newest one is delivered with the `count` of the events that it represents, and
//! `first_at`. The others are counted in [`Stats::coalesced`]. It takes effect with
//! `.catalog(catalog!())`.
//!
//! ```toml
//! [action."user.sign_in_failed"]
//! targets = ["user"]
//! coalesce = { by = ["actor", "location"], window = "60s" }
//! ```
//!
//! # Delivery
//!
//! [`Recorder::record`] puts the event into a queue that is bounded in events and bytes
//! ([`RecorderBuilder::capacity`], [`RecorderBuilder::max_bytes`]). A thread of its own delivers
//! it:
//!
//! - up to 32 attempts are in flight, fewer if the service accepts fewer, below its rate limit;
//! - a failed attempt is retried with backoff and jitter, and `Retry-After` is respected;
//! - during an outage the circuit breaker stops all attempts, and sends one probe at a time, each
//!   another event;
//! - an event that fails while others pass, such as one that a web application firewall blocks,
//!   delays no other. After 10 refusals, or 40 errors, it becomes a dead letter with the reason;
//! - organizations take turns, so that none delays the others;
//! - all attempts of an event have one idempotency key, which the service remembers for 24 hours,
//!   so that a retry is stored once;
//! - a wrong key or address pauses delivery until it is corrected, and loses no event;
//! - an event that the service rejects becomes a [`DeadLetter`] with the service's reason:
//!   [`Recorder::dead_letters`], [`Recorder::redrive`], [`RecorderBuilder::on_dead_letter`].
//!
//! [`Recorder::flush`] and [`Recorder::shutdown`] wait with a deadline. [`Recorder::guard`] shuts
//! down on drop. [`Recorder::stats`] has the counts.
//!
//! # Health and metrics
//!
//! [`Recorder::health`] returns the state, all problems with their reasons, the age of the oldest
//! undelivered event in memory or on the spool, and the estimated time to deliver all of them. It
//! is degraded when that age exceeds a minute ([`RecorderBuilder::late_after`]), and unhealthy
//! after an hour ([`RecorderBuilder::overdue_after`]). A dispatcher that panics is restarted with
//! its events.
//!
//! ```
//! # use audit_tower::{MemorySink, Recorder};
//! # let recorder = Recorder::builder(MemorySink::new()).build()?;
//! if let Some(reason) = recorder.health().reason {
//!     eprintln!("audit delivery: {reason}");
//! }
//! # Ok::<_, audit_tower::BuildError>(())
//! ```
//!
//! With the feature `metrics`, counts, ages and health are exported through the
//! [`metrics`](https://docs.rs/metrics) facade. `examples/alerts.yml` in the repository has
//! alerting rules for Prometheus.
//!
//! # Missing events
//!
//! If the queue is full, events are refused. With [`RecorderBuilder::gap_action`], each
//! organization gets one event that reports how many of its events are missing, as soon as half of
//! the queue is free again:
//!
//! ```
//! use audit_tower::{MemorySink, Recorder, action};
//!
//! let recorder = Recorder::builder(MemorySink::new()).gap_action(action!("audit.gap")).build()?;
//! # Ok::<_, audit_tower::BuildError>(())
//! ```
//!
//! # The spool
//!
//! With the feature `spool`, a SQLite file keeps the events that find no room in memory, the events
//! that are left at the deadline of a shutdown, and dead letters. The next process delivers them.
//! `Recorder::record_durable` returns when the event is on disk.
//!
//! ```
//! # #[cfg(feature = "spool")] {
//! use audit_tower::{MemorySink, Recorder, Spool};
//!
//! # let folder = std::env::temp_dir().join(format!("audit-tower-docs-{}", std::process::id()));
//! # std::fs::create_dir_all(&folder)?;
//! # let path = folder.join("audit.spool");
//! let spool = Spool::open(&path)?; // one file per recorder, on a disk that outlives it
//! let recorder = Recorder::builder(MemorySink::new()).spool(spool).build()?;
//! # recorder.shutdown_blocking(std::time::Duration::from_secs(5));
//! # drop(recorder);
//! # std::fs::remove_dir_all(&folder)?;
//! # }
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! The file is not encrypted; only its owner may read it. `audited spool` inspects it, also while
//! the service runs.
//!
//! # Durable events
//!
//! A durable event is on disk before the response is sent. `durable = true` in the catalog makes
//! all events of an action durable, the argument `durable` those of one function. The request waits
//! for one second at most ([`RecorderBuilder::durable_deadline`]). An event that is written later
//! is counted as [late](Stats::deadline_exceeded), and health is at its worst level for a minute.
//! Durable events are delivered before others. Outside of a request, async code waits for the disk
//! with `record_durable!` (feature `spool`); other code waits only on a thread that belongs to no
//! Tokio runtime:
//!
//! ```
//! # #[cfg(feature = "spool")] mod example {
//! use audit_tower::{TryRecordError, record_durable};
//!
//! async fn erase(document: u64) -> Result<(), TryRecordError> {
//!     record_durable!("document.delete", target(document = document)).await?;
//!     // .. and only then the document itself.
//!     Ok(())
//! }
//! # }
//! ```
//!
//! With `.catalog(catalog!())`, a recorder for durable
//! actions does not start without a spool.
//!
//! ```toml
//! [action."document.create"]
//! targets = ["document"]
//! durable = true
//! ```
//!
//! # Sinks
//!
//! A [`Sink`] makes one delivery attempt. [`WorkOs`] delivers to the service, [`MemorySink`] keeps
//! events for tests, and `JsonLines` (feature `json-lines`) writes one line of JSON per event to
//! the standard output or to rotated files. [`RecorderBuilder::copy_to`] gives each event to a
//! second recorder as well, which never delays the first:
//!
//! ```
//! use audit_tower::{MemorySink, Recorder};
//!
//! let archive = Recorder::builder(MemorySink::new()).build()?;
//! let recorder = Recorder::builder(MemorySink::new()).copy_to(&archive).build()?;
//! # Ok::<_, audit_tower::BuildError>(())
//! ```
//!
//! # The WorkOS client
//!
//! [`workos`] has the client of the service: events, schemas, actions, exports (with wildcards,
//! waiting and download), retention, configuration, portal links and webhook signatures. Several
//! processes with one key share the rate limit of the service; see `WorkOsBuilder` for the share of
//! each.
//!
//! # Tests
//!
//! With the feature `testing` under `[dev-dependencies]`, each test has a recorder of its own. A
//! failed assertion shows the nearest event and the fields that differ.
//!
//! ```
//! # #[cfg(feature = "testing")]
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! use audit_tower::{AuditLayer, assert_audited, assert_not_audited, audited, testing};
//! use axum::{Router, body::Body, extract::Path, http::{Request, StatusCode}, routing::delete};
//! use tower::ServiceExt as _;
//!
//! #[audited(action = "document.delete", target = "doc_id")]
//! async fn delete_document(Path(doc_id): Path<u64>) -> StatusCode {
//!     StatusCode::NO_CONTENT
//! }
//!
//! let capture = testing::capture();
//! let app = Router::new()
//!     .route("/documents/{doc_id}", delete(delete_document))
//!     .layer(AuditLayer::new(capture.recorder()));
//!
//! let request = Request::delete("/documents/42").body(Body::empty()).unwrap();
//! let response = app.oneshot(request).await.unwrap();
//! assert_eq!(response.status(), StatusCode::NO_CONTENT);
//!
//! let events = capture.events();
//! assert_audited!(events, action = "document.delete", target(document = 42));
//! assert_not_audited!(events, outcome = failed);
//! # }
//! # #[cfg(not(feature = "testing"))] fn main() {}
//! ```
//!
//! Events print and serialize for snapshots. `testing::FaultSink` simulates an outage.
//! `assert_covered!` fails if a route can change something without an event, and names it.
//!
//! # Tools
//!
//! The command `audited` belongs to this framework:
//!
//! - `audited schema` compares catalog, `audit.lock` and service: `diff`, `push`, and `check` for
//!   CI.
//! - `audited spool` inspects the spool of a service, also while it runs: `status`, `dead`,
//!   `verify`, `redrive` and `purge`.
//! - `audited serve` is a local server with the documented routes of the service, for development:
//!   events with validated schemas and idempotency for 24 hours, schemas, actions, exports as CSV,
//!   retention, configuration and portal links; in memory or in a SQLite file. Its page at
//!   `http://127.0.0.1:4100/` shows events as they arrive, and why one was rejected.
//!   `/_local/stream` and `/_local/wait-for` are for scripts. `/_local/faults` injects errors,
//!   latency, connection resets, `Retry-After` and a rate limit:
//!   `curl localhost:4100/_local/faults --json '{"status":503,"times":3}'`.
//! - `audit_server::LocalServer::start()` is the same server inside a test.
//!
//! # Features
//!
//! | feature | default | adds |
//! | --- | --- | --- |
//! | `axum` | yes | the peer's address from axum's `ConnectInfo`, the matched route, path parameters, the extractor `Audit` |
//! | `tonic` | | the peer's address from tonic's server |
//! | `workos` | yes | [`WorkOs`], the client and sink of the service |
//! | `spool` | | `Spool`: events on disk, in SQLite, which outlive the process |
//! | `bundled-sqlite` | yes | with `spool`: SQLite is compiled in; without it, the system's library is linked |
//! | `json-lines` | | the sink `JsonLines`: a line of JSON per event |
//! | `metrics` | | counts, ages and health as metrics of the `metrics` facade |
//! | `testing` | | the module `testing` and the macros `assert_audited!`, `assert_not_audited!`, `assert_covered!`, for the tests of a service |
#![cfg_attr(docsrs, feature(doc_cfg))]

mod config;
#[cfg(feature = "axum")]
mod extract;
mod future;
mod head;
mod layer;
#[cfg(feature = "axum")]
mod parameter;
mod route;
mod scope;
mod service;

pub use audit_core::*;

#[doc(inline)]
pub use audit_core::private::macros::audited_tower as audited;
#[doc(inline)]
pub use audit_core::private::macros::unaudited_tower as unaudited;

#[cfg(feature = "axum")]
pub use extract::{Audit, NoScope};
pub use future::AuditFuture;
pub use layer::AuditLayer;
#[cfg(feature = "axum")]
pub use route::path;
pub use route::{
    AuditRoute, AuditRouteFuture, AuditRouteService, ExemptRoute, ExemptRouteService, RequestValue,
};
pub use service::AuditService;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

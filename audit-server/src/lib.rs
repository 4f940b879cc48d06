//! A local server that implements the WorkOS Audit Logs API.
//!
//! It replaces a WorkOS account during development and in tests: the same routes, statuses and
//! bodies, with schemas enforced, and nothing leaves the machine. Point the base URL of any client
//! at [`LocalServer::url`], then inspect the events that arrived.
//!
//! ```
//! use audit_server::{EventFilter, EventStatus, LocalServer};
//!
//! let server = LocalServer::builder().organization("org_acme").start()?;
//! // … register a schema, send events to server.url() with the key server.api_key() …
//! let rejected = server.events_where(&EventFilter::new().status(EventStatus::Rejected))?;
//! for event in &rejected {
//!     eprintln!("{} {:?}", event.http_status(), event.reasons());
//! }
//! assert!(rejected.is_empty());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Routes
//!
//! | route | responses |
//! | --- | --- |
//! | `POST /audit_logs/events` | 200; 400, 401, 404, 413, 415, 422 |
//! | `POST /audit_logs/actions/{actionName}/schemas` | 201; 400, 401, 413, 415, 422 |
//! | `GET /audit_logs/actions/{actionName}/schemas` | 200; 400, 401, 404, 422 |
//! | `GET /audit_logs/actions` | 200; 401, 422 |
//! | `POST /audit_logs/exports` | 201; 400, 401, 413, 415 |
//! | `GET /audit_logs/exports/{id}` | 200; 401, 404 |
//! | `GET /organizations/{id}/audit_logs_retention` | 200; 401, 404 |
//! | `PUT /organizations/{id}/audit_logs_retention` | 200; 400, 401, 404, 413, 415, 422 |
//! | `GET /organizations/{id}/audit_log_configuration` | 200; 401, 404 |
//! | `POST /portal/generate_link` | 201; 400, 401, 404, 413, 415, 422 |
//! | `GET /portal?token=` | opens a portal link: the viewer of one organization; 403; no key |
//! | `GET /exports/{id}.csv?expires=&signature=` | the CSV file, 200; 403; no key |
//! | `GET /health` | 200; no key |
//! | `GET /` | the viewer, a page that shows events as they arrive |
//! | `GET /_local` | the list of routes |
//! | `GET /_local/events?organization=&action=&status=&order=&limit=&after=&before=` | stored events; `order` `asc` (default) or `desc`, `limit` 1 to 1,000, default 100; cursors are a row's `seq` |
//! | `GET /_local/stream?organization=&action=&status=&after=` | the same events as they are stored, as server-sent events `stored` and `missed` |
//! | `GET /_local/wait-for?organization=&action=&status=&after=&timeout=` | the first event that matches, already stored or still to come; 408 after `timeout`, default 10s, at most 60s |
//! | `GET` and `POST /_local/organizations` | lists the organizations; adds one from `{"id"?, "name"?}` |
//! | `GET /_local/stats` | `{"accepted", "rejected", "duplicates"}` |
//! | `GET`, `POST`, `DELETE /_local/faults` | lists the pending [faults](Fault); adds one (201), see below; removes all |
//!
//! With [a rate limit](LocalServerBuilder::rate_limit) the routes of the service can also respond
//! with 429.
//!
//! Every response has an `X-Request-ID`: the request's own, or a new one. All responses except
//! pages, files and the stream are JSON, and every error has a `message`. A request body is at most
//! 1 MiB. Input that is not HTTP fails before there is a request: the server responds with a bare
//! 400, 414 or 431, or closes the connection. The head and the body each have to arrive within [the
//! read timeout](LocalServerBuilder::read_timeout). At most 1,024 connections are open at once.
//!
//! # Faults on demand
//!
//! A [`Fault`] makes the next matching requests fail, to test how a client copes. As JSON it has at
//! most one of `status` (with `retry_after`, in seconds or as a date), `reset`, `cut_after` (bytes)
//! and `export_error`, and may have `delay_ms`, `times`, `method` and `path`:
//!
//! ```text
//! curl localhost:4100/_local/faults --json '{"status": 429, "retry_after": 2, "times": 3, "path": "/audit_logs/events"}'
//! ```
//!
//! A request that a fault or the rate limit rejects is neither stored nor counted.
//!
//! # Where the reference is silent
//!
//! The [WorkOS API reference](https://workos.com/docs/reference/audit-logs) leaves some behaviour
//! open. The server takes the stricter reading, so that a request that passes here should pass
//! there:
//!
//! - An event without `version` is checked against version 1 of its action, as users report of the
//!   service, and not against the newest version.
//! - The `targets` of a schema are a whitelist of types. An event has 1 to 20 targets.
//! - Metadata beyond its limits is a 400, like other violations inside a well-formed event. The
//!   response lists all violations at once.
//! - `null` is rejected, even for an optional field. Undocumented fields are ignored.
//! - Absent metadata is checked against its schema as an empty object. A metadata schema without
//!   `$schema` is read as draft 7.
//! - `Idempotency-Key`: only responses to accepted events are saved, for 24 hours, separately for
//!   each API key. A key has at most 255 characters.
//! - `occurred_at` may be any moment, also in the future.
//! - An export contains the accepted events that existed when it was created, with `range_start` ≤
//!   `occurred_at` < `range_end`, ordered by `occurred_at`. A range older than three months, which
//!   the service may refuse, is not refused. An event has to match every kind of filter that is
//!   set, and matches a kind if it equals one of its values; an empty list is no filter. One target
//!   of a type in `targets` is enough.
//! - An export is `pending` for [a delay](LocalServerBuilder::export_delay), `ready` for 24 hours,
//!   and then `expired`. The last 1,000 exports are kept.
//! - A portal link can be opened for five minutes; its page then works for an hour. The intents
//!   `audit_logs` and `log_streams`, and a missing intent, lead to the viewer. The other intents
//!   have no page here and are a 400; an unknown intent is a 422. The other fields are validated
//!   and have no effect.
//! - Retention counts from `occurred_at`. An accepted event older than its organization's period is
//!   never returned again, and is deleted within a minute. Rejected events are not part of the
//!   audit log and are not affected. Without a period events are kept forever. The periods are
//!   those of the newest SDKs. The configuration is always `active`, without a log stream. If no
//!   period is set, it shows the longest one, 3650 days, since the official SDKs do not accept
//!   `null` there.
//! - The CSV has a header line and the columns `occurred_at`, `action`, `version`, `actor_id`,
//!   `actor_type`, `actor_name`, `actor_metadata`, `targets`, `location`, `user_agent`, `metadata`.
//!   Metadata and targets are the JSON as sent. The file is UTF-8 and follows RFC 4180. A cell that
//!   a spreadsheet would evaluate as a formula (leading `=`, `+`, `-`, `@`, tab or line break) gets
//!   a leading `'`.
//!
//! # Safety
//!
//! The server listens on loopback and accepts only the hosts `localhost`, `127.0.0.1` and `[::1]`,
//! so that a web page cannot reach it under a name of its own (DNS rebinding). The viewer and the
//! routes under `/_local` need no key there, and reject requests from pages of another origin. Any
//! other address requires [`LocalServerBuilder::allow_remote`], and then `/_local` requires the
//! key. API keys are never written to disk, and neither keys nor events are ever logged.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod api_key;
mod app;
mod body;
mod clock;
mod config;
mod connection;
mod error;
mod export;
mod fault;
mod feed;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
mod host;
mod id;
mod middleware;
mod own_path;
mod rate_limit;
mod records;
mod response;
mod router;
mod routes;
mod seed;
mod serve;
mod server;
mod signer;
mod store;
mod subscription;
mod timestamp;
mod validate;
mod validate_event;
mod viewer;

pub use clock::{Clock, ManualClock, SystemClock};
pub use config::{
    DEFAULT_API_KEY, DEFAULT_EXPORT_DELAY, DEFAULT_ORGANIZATION, DEFAULT_READ_TIMEOUT, Data,
    LocalServerBuilder, SERVICE_RATE_LIMIT,
};
pub use error::{QueryError, StartError};
pub use fault::Fault;
pub use records::{EventFilter, EventStatus, Organization, Stats, StoredEvent};
pub use server::LocalServer;
pub use subscription::Subscription;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

//! A local server that speaks the WorkOS Audit Logs API.
//!
//! It stands in for an account while a program is written or tested: the same routes, the same
//! statuses and bodies, schemas enforced, and nothing leaves the machine. Point any client's base
//! URL at [`LocalServer::url`], then look at what arrived.
//!
//! ```
//! use audit_server::{EventFilter, EventStatus, LocalServer};
//!
//! let server = LocalServer::builder().organization("org_acme").start()?;
//! // … register a schema, send events to server.url() with the key server.api_key() …
//! let refused = server.events_where(&EventFilter::new().status(EventStatus::Rejected))?;
//! for event in &refused {
//!     eprintln!("{} {:?}", event.http_status(), event.reasons());
//! }
//! assert!(refused.is_empty());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Routes
//!
//! | route | answers |
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
//! | `GET /portal?token=` | what the link leads to: the viewer of one organization; 403; no key |
//! | `GET /exports/{id}.csv?expires=&signature=` | the file, 200; 403; no key |
//! | `GET /health` | 200; no key |
//! | `GET /` | the viewer, a page that shows the events as they come |
//! | `GET /_local` | the list of routes |
//! | `GET /_local/events?organization=&action=&status=&order=&limit=&after=&before=` | stored events; `order` `asc` (default) or `desc`, `limit` 1 to 1,000, default 100; cursors are a row's `seq` |
//! | `GET /_local/stream?organization=&action=&status=&after=` | the same as they are stored, as server-sent events `stored` and `missed` |
//! | `GET /_local/wait-for?organization=&action=&status=&after=&timeout=` | the first event that fits, stored already or not; 408 after `timeout`, default 10s, at most 60s |
//! | `GET` and `POST /_local/organizations` | the organizations; a new one `{"id"?, "name"?}` |
//! | `GET /_local/stats` | `{"accepted", "rejected", "duplicates"}` |
//! | `GET`, `POST`, `DELETE /_local/faults` | the [faults](Fault) that are left; a new one (201), see below; forgets all |
//!
//! With [a rate limit](LocalServerBuilder::rate_limit) the routes of the service also answer 429.
//!
//! Every answer carries `X-Request-ID` (the request's own, if it had one), and all but the pages,
//! the files and the stream are JSON; every error has a `message`. A body is at most 1 MiB. The one
//! exception is what cannot be read as HTTP at all: it is answered before there is a request, with
//! a bare 400, 414 or 431, or by closing the connection. A head and a body have to arrive within [a
//! time](LocalServerBuilder::read_timeout), and at most 1,024 connections are open at once.
//!
//! # Faults on demand
//!
//! What a client has to survive, for the next requests that fit; see [`Fault`]. In JSON it has at
//! most one of `status` (with `retry_after`, in seconds or as a date), `reset`, `cut_after` (bytes)
//! and `export_error`, and may have `delay_ms`, `times`, `method` and `path`:
//!
//! ```text
//! curl localhost:4100/_local/faults --json '{"status": 429, "retry_after": 2, "times": 3, "path": "/audit_logs/events"}'
//! ```
//!
//! A request that a fault or the rate limit answered leaves no row and no count.
//!
//! # Where the reference is silent
//!
//! The [WorkOS API reference](https://workos.com/docs/reference/audit-logs) does not settle
//! everything. The readings here are the stricter ones, so that what passes here should pass there:
//!
//! - An event without `version` is checked against version 1 of its action, which is what users
//!   report, and not against the newest.
//! - The `targets` of a schema are a whitelist of types. An event has 1 to 20 targets.
//! - A limit of metadata that is broken is a 400, as other violations inside a well-formed event.
//!   All violations are named at once.
//! - `null` is refused, also for an optional field. Undocumented fields are ignored.
//! - Absent metadata is checked against its schema as an empty object. A metadata schema without
//!   `$schema` is of draft 7.
//! - `Idempotency-Key`: only accepted events are remembered, for 24 hours, separately for each API
//!   key; the key has at most 255 characters.
//! - `occurred_at` may be any moment, also in the future.
//! - An export has the accepted events there were at its creation, with `range_start` ≤
//!   `occurred_at` < `range_end`, by `occurred_at`. A range older than three months, which the
//!   service may refuse, is not refused. An event passes if it fits every kind of filter, and fits
//!   a kind if it fits one of its texts exactly; an empty list is no filter, and one target of a
//!   type in `targets` is enough.
//! - An export is `pending` for [a moment](LocalServerBuilder::export_delay), `ready` for 24 hours,
//!   and then `expired`. The last 1,000 are kept.
//! - A portal link can be opened for five minutes, and the page used for an hour then. Of the
//!   intents, `audit_logs` and `log_streams` lead to the viewer, as does none at all; the others
//!   have no page here and are a 400, a word that is no intent is a 422. The other fields are
//!   checked and have no effect.
//! - Retention counts from `occurred_at`: an accepted event that is older than its organization's
//!   period is never read again, and is deleted within a minute; refused ones are no part of the
//!   trail. Without a period events are kept for good. The periods are those of the newest SDKs.
//!   The configuration is always `active`, without a log stream; where no period is set it shows
//!   the longest, 3650 days, since the official SDKs take no `null` there.
//! - The columns of the CSV, with a header line: `occurred_at`, `action`, `version`, `actor_id`,
//!   `actor_type`, `actor_name`, `actor_metadata`, `targets`, `location`, `user_agent`, `metadata`.
//!   Metadata and targets are JSON as it was sent. UTF-8, RFC 4180; a cell that a spreadsheet would
//!   run as a formula (`=`, `+`, `-`, `@`, tab or line break in front) begins with a `'`.
//!
//! # Safety
//!
//! The server listens on loopback and answers only to the hosts `localhost`, `127.0.0.1` and
//! `[::1]`, so that a web page cannot reach it under a name of its own; the viewer and the routes
//! under `/_local` need no key there, and refuse what a page of another origin sends. Any other
//! address has to be allowed by [`LocalServerBuilder::allow_remote`], and then `/_local` needs the
//! key. API keys are never written to disk, and neither keys nor events to a log.
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

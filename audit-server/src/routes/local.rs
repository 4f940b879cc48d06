//! The server's own routes: `/health` and everything under `/_local`.
//!
//! They need no key while the server listens on a loopback address, since any local process could
//! read its memory anyway. On any other address `/_local` requires the key.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Request, State};
use serde_json::{Value, json};

use super::paging::List;
use super::query::EventQuery;
use super::route::RouteList;
use crate::app::App;
use crate::body;
use crate::id::new_id;
use crate::records::{EventFilter, is_organization_id};
use crate::response::{ApiResponse, ApiResult};
use crate::store;

/// The size at which a page of `GET /_local/events` ends, in bytes of its events.
const PAGE_BYTES: usize = 4 * 1_024 * 1_024;

/// `GET /health`: responds once the database does.
pub(super) async fn health(State(app): State<Arc<App>>) -> ApiResult {
    app.store
        .run(|tx| tx.query_row("SELECT 1", [], |_| Ok(())))
        .await?;
    Ok(ApiResponse::ok(&json!({ "status": "ok" })))
}

/// `GET /_local`: lists the routes.
pub(super) async fn index(Extension(routes): Extension<RouteList>) -> ApiResponse {
    let routes: Vec<String> = routes
        .iter()
        .map(|(method, path)| format!("{method} {path}"))
        .collect();
    ApiResponse::ok(
        &json!({ "object": "local_server", "version": env!("CARGO_PKG_VERSION"), "routes": routes }),
    )
}

/// `GET /_local/events`: lists the received events, accepted and rejected, oldest first. `after` is
/// the `seq` of the last known row.
pub(super) async fn events(State(app): State<Arc<App>>, query: EventQuery) -> ApiResult {
    list(&app, query.filter()?).await
}

/// Returns a page of events. It may have fewer rows than its limit, if they are large; the cursor
/// then points to the next page.
pub(super) async fn list(app: &Arc<App>, filter: EventFilter) -> ApiResult {
    let newest_first = filter.newest_first;
    let (rows, more) = app
        .read_audit_log(move |tx| store::list_page(tx, &filter, PAGE_BYTES))
        .await?;
    let next = rows
        .last()
        .filter(|_| more)
        .map(|row| row.seq().to_string());
    // The next page has older rows in descending order, and newer ones in ascending order.
    let (before, after) = if newest_first {
        (next, None)
    } else {
        (None, next)
    };
    Ok(ApiResponse::ok(&List::new(rows, before, after)))
}

/// `GET /_local/stats`: returns the counters.
pub(super) async fn stats(State(app): State<Arc<App>>) -> ApiResult {
    Ok(ApiResponse::ok(&app.store.run(store::stats).await?))
}

/// `GET /_local/organizations`: lists all organizations, oldest first.
pub(super) async fn organizations(State(app): State<Arc<App>>) -> ApiResult {
    Ok(ApiResponse::ok(&List::new(
        app.store.run(store::list_organizations).await?,
        None,
        None,
    )))
}

/// `POST /_local/organizations`: 201 with a new organization, or 200 with the existing one of that
/// id. Generates an `id` if none is given.
pub(super) async fn add_organization(State(app): State<Arc<App>>, request: Request) -> ApiResult {
    let (parts, body) = request.into_parts();
    let body = body::parse(&parts.headers, &body::read(&app, body).await?)?;
    let text = |key: &str| match body.get(key) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(ApiResponse::unprocessable(&format!(
            "`{key}` has to be a string."
        ))),
    };
    let (id, name) = match &body {
        Value::Object(_) => (text("id")?, text("name")?),
        _ => {
            return Err(ApiResponse::unprocessable(
                "The body has to be an object with an optional `id` and `name`.",
            ));
        }
    };
    let now = app.now();
    let id = id.unwrap_or_else(|| new_id("org_", now));
    if !is_organization_id(&id) {
        return Err(ApiResponse::unprocessable(
            "`id` has to be `org_` and then up to 100 letters, digits, `_` or `-`.",
        ));
    }
    let (organization, new) = app
        .store
        .run(move |tx| store::add_organization(tx, &id, name.as_deref(), now))
        .await?;
    Ok(if new {
        ApiResponse::created(&organization)
    } else {
        ApiResponse::ok(&organization)
    })
}

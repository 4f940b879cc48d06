//! `POST /portal/generate_link`, and the page it links to: the viewer of one organization.
//!
//! The link's token is valid for five minutes and is exchanged for a cookie when the link is
//! opened, so that it does not stay in the address bar. The cookie is sent to `/portal` only and
//! does not affect the viewer at `/`.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::local;
use super::query::EventQuery;
use super::stream::live;
use crate::app::App;
use crate::body;
use crate::response::{ApiResponse, ApiResult};
use crate::signer::Purpose;
use crate::store;
use crate::timestamp::Timestamp;
use crate::validate::read_portal;
use crate::viewer;

/// The lifetime of a link; the service documents only "short-lived".
const LINK_LIFETIME: Duration = Duration::from_secs(5 * 60);

/// The lifetime of the page once it is opened.
const SESSION_LIFETIME: Duration = Duration::from_secs(60 * 60);

const COOKIE: &str = "audit_portal";

/// Creates a link to the events of one organization. The other intents lead to pages that this
/// server does not have.
pub(super) async fn generate_link(State(app): State<Arc<App>>, request: Request) -> ApiResult {
    let base = app.hosts.base_url(&request);
    let (parts, body) = request.into_parts();
    let body = body::parse(&parts.headers, &body::read(&app, body).await?)?;
    let form = read_portal(&body).map_err(|error| ApiResponse::unprocessable(&error))?;
    let elsewhere = |intent: &&str| !matches!(*intent, "audit_logs" | "log_streams");
    if let Some(intent) = form.intent.as_deref().filter(elsewhere) {
        let message = format!(
            "This local server has no page for {intent}; it has one for audit_logs and log_streams."
        );
        return Err(ApiResponse::message(StatusCode::BAD_REQUEST, &message));
    }
    let organization = form.organization.clone();
    let known = app
        .store
        .run(move |tx| store::has_organization(tx, &organization));
    if !known.await? {
        return Err(ApiResponse::organization_not_found(&form.organization));
    }
    let expires = app.now().after(LINK_LIFETIME);
    let token = token(&app, Purpose::PortalLink, &form.organization, expires);
    Ok(ApiResponse::created(
        &json!({ "link": format!("{base}/portal?token={token}") }),
    ))
}

/// Opens a link, or shows the page to a client with its cookie.
pub(super) async fn open(State(app): State<Arc<App>>, request: Request) -> Response {
    let token = request
        .uri()
        .query()
        .and_then(|query| query.strip_prefix("token="));
    if let Some(presented) = token {
        let Some(organization) = verify(&app, Purpose::PortalLink, presented) else {
            return forbidden().into_response();
        };
        let expires = app.now().after(SESSION_LIFETIME);
        let session = self::token(&app, Purpose::PortalSession, organization, expires);
        let cookie = format!(
            "{COOKIE}={session}; Path=/portal; HttpOnly; SameSite=Lax; Max-Age={}",
            SESSION_LIFETIME.as_secs()
        );
        let headers = [
            (header::LOCATION, "/portal".to_owned()),
            (header::SET_COOKIE, cookie),
            (header::REFERRER_POLICY, "no-referrer".to_owned()),
            (header::CACHE_CONTROL, "no-store".to_owned()),
        ];
        return (StatusCode::SEE_OTHER, headers).into_response();
    }
    match session(&app, request.headers()) {
        Some(organization) => viewer::page("/portal", Some(&organization)),
        None => forbidden().into_response(),
    }
}

/// Lists the events of the organization whose link was opened.
pub(super) async fn events(
    State(app): State<Arc<App>>,
    Session(organization): Session,
    query: EventQuery,
) -> ApiResult {
    local::list(&app, query.filter()?.organization(organization)).await
}

/// Streams the same events as they are stored.
pub(super) async fn stream(
    State(app): State<Arc<App>>,
    Session(organization): Session,
    headers: HeaderMap,
    query: EventQuery,
) -> Result<Response, ApiResponse> {
    live(app, &headers, query.filter()?.organization(organization)).await
}

/// The organization that a request may read, from its cookie.
pub(super) struct Session(String);

impl FromRequestParts<Arc<App>> for Session {
    type Rejection = ApiResponse;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiResponse> {
        session(app, &parts.headers).map(Self).ok_or_else(forbidden)
    }
}

fn session(app: &App, headers: &HeaderMap) -> Option<String> {
    let cookies = headers.get_all(header::COOKIE).iter();
    let mut pairs = cookies
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    pairs.find_map(|(name, value)| {
        let organization = (name == COOKIE).then(|| verify(app, Purpose::PortalSession, value));
        organization.flatten().map(ToOwned::to_owned)
    })
}

fn forbidden() -> ApiResponse {
    let message = "The link is not valid, or it has expired; create a new one with POST /portal/generate_link.";
    ApiResponse::message(StatusCode::FORBIDDEN, message)
}

/// Returns a token of organization, expiry and signature, separated by dots; none of the three
/// contains one.
fn token(app: &App, purpose: Purpose, organization: &str, expires: Timestamp) -> String {
    let signature = app.signer.sign(purpose, organization, expires);
    format!("{organization}.{}.{signature}", expires.as_millis())
}

/// Returns the organization of a token, if this server signed it and it has not expired.
fn verify<'a>(app: &App, purpose: Purpose, token: &'a str) -> Option<&'a str> {
    let (organization, rest) = token.split_once('.')?;
    let (expires, signature) = rest.split_once('.')?;
    let expires = Timestamp::from_millis(expires.parse().ok()?);
    app.signer
        .verify(purpose, organization, expires, signature, app.now())
        .then_some(organization)
}

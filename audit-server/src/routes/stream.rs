//! `GET /_local/stream` and `GET /_local/wait-for`: events as they are stored.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde_json::json;

use super::query::EventQuery;
use crate::app::App;
use crate::feed::{Feed, FeedItem};
use crate::records::EventFilter;
use crate::response::{ApiResponse, ApiResult};

/// The default and the longest timeout of `wait-for`.
const DEFAULT_WAIT: Duration = Duration::from_secs(10);
const MAX_WAIT: Duration = Duration::from_secs(60);

/// Streams server-sent events.
///
/// `stored` is sent for each matching event, with its `seq` as id and the row as data; `missed`
/// with `{"count": …}` for a reader that is more than a thousand events behind. `Last-Event-ID`
/// resumes after an earlier stream.
pub(super) async fn stream(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    query: EventQuery,
) -> Result<Response, ApiResponse> {
    live(app, &headers, query.filter()?).await
}

pub(super) async fn live(
    app: Arc<App>,
    headers: &HeaderMap,
    mut filter: EventFilter,
) -> Result<Response, ApiResponse> {
    let last = headers
        .get("last-event-id")
        .and_then(|id| id.to_str().ok())
        .and_then(|id| id.parse().ok());
    filter.after = last.or(filter.after);
    let feed = Feed::live(app, filter).await?;
    let events = stream::unfold(feed, |mut feed| async move {
        let event = match feed.next().await {
            Ok(Some(FeedItem::Event(stored))) => Event::default()
                .event("stored")
                .id(stored.seq().to_string())
                .data(on_one_line(ApiResponse::ok(&stored).body)),
            Ok(Some(FeedItem::Missed(count))) => Event::default()
                .event("missed")
                .data(json!({ "count": count }).to_string()),
            Ok(None) => return None,
            // The reader reconnects and resumes where it was.
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "aborted an event stream"
                );
                return None;
            }
        };
        Some((Ok::<_, Infallible>(event), feed))
    });
    Ok(Sse::new(events)
        .keep_alive(KeepAlive::default())
        .into_response())
}

/// Replaces line breaks with spaces. An event is kept as sent and may contain line breaks; between
/// tokens they are white space, and inside a JSON string there are none.
fn on_one_line(json: String) -> String {
    json.replace(['\n', '\r'], " ")
}

/// Returns the first event that matches the filter, already stored or still to come; 408 if none
/// arrives in time.
pub(super) async fn wait_for(State(app): State<Arc<App>>, query: EventQuery) -> ApiResult {
    let wait = match query.timeout.as_deref() {
        None => DEFAULT_WAIT,
        Some(text) => read_wait(text).ok_or_else(|| {
            ApiResponse::unprocessable(
                "The timeout has to be seconds or a duration such as 500ms, at most 60s.",
            )
        })?,
    };
    let mut feed = Feed::complete(app, query.filter()?);
    match tokio::time::timeout(wait, feed.next()).await {
        Ok(Ok(Some(FeedItem::Event(event)))) => Ok(ApiResponse::ok(&event)),
        Ok(Err(error)) => Err(error.into()),
        Ok(Ok(_)) => Err(ApiResponse::message(
            StatusCode::SERVICE_UNAVAILABLE,
            "The server is stopping.",
        )),
        Err(_) => {
            let message = format!(
                "No matching event within {}.",
                humantime::format_duration(wait)
            );
            let body = json!({ "message": message, "code": "timeout" });
            Err(ApiResponse::json(StatusCode::REQUEST_TIMEOUT, &body))
        }
    }
}

/// Parses `5`, `5s` or `500ms`.
fn read_wait(text: &str) -> Option<Duration> {
    let wait = match text.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => humantime::parse_duration(text).ok()?,
    };
    (wait <= MAX_WAIT).then_some(wait)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wait_is_bounded() {
        assert_eq!(read_wait("5"), Some(Duration::from_secs(5)));
        assert_eq!(read_wait("250ms"), Some(Duration::from_millis(250)));
        assert_eq!(read_wait("60s"), Some(MAX_WAIT));
        for text in ["", "61", "-1", "1h", "x", "99999999999999999999"] {
            assert_eq!(read_wait(text), None, "{text}");
        }
    }
}

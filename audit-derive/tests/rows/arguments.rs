//! Parameters of functions.

use std::sync::Arc;

use audit_derive::audited;
use axum::Extension;
use axum::extract::rejection::JsonRejection;
use axum::extract::{OriginalUri, Query, State};
use axum::routing::delete;
use http::{HeaderMap, Method, Request, Uri, Version};
use tower::ServiceExt;

use crate::support::{Body, Json, Path, body, events_of, is_send, leave, one};

/// A type without any trait.
struct Opaque;

#[audited(action = "document.delete", target = "id")]
fn borrowed<'a>(items: &'a mut Vec<u64>, id: &u64) -> Result<&'a mut u64, String> {
    items.push(*id);
    items.last_mut().ok_or_else(String::new)
}

#[audited(action = "document.delete", target = "bytes.0")]
async fn mutated(mut bytes: (u8, Vec<u8>)) -> Vec<u8> {
    bytes.1.push(1);
    bytes.1
}

#[audited(action = "document.delete", target = "first")]
fn mutated_sync(first: u8, mut rest: Vec<u8>) -> Vec<u8> {
    rest.push(first);
    rest
}

#[audited(action = "document.delete", target = "name")]
async fn reassigned(mut name: &str) -> usize {
    let own = String::from("longer");
    if name.is_empty() {
        name = &own;
    }
    name.len()
}

#[audited(action = "document.delete", target = "name")]
fn reassigned_sync(mut name: &str) -> usize {
    let own = String::from("longer");
    if name.is_empty() {
        name = &own;
    }
    name.len()
}

#[audited(action = "document.delete", target = "doc_id")]
async fn moved(doc_id: String) {
    drop(doc_id);
}

#[audited(action = "document.delete", target = "id")]
async fn optional(id: Option<String>) -> usize {
    if let Some(id) = id { id.len() } else { 0 }
}

#[audited(action = "document.delete", target = "id")]
async fn tuple_struct(Path(id): Path<u64>) -> u64 {
    id
}

#[audited(action = "document.delete", target(document = format!("{a}-{b}")))]
async fn tuple_in_a_struct(Path((a, b)): Path<(u8, u8)>) -> u8 {
    a + b
}

#[audited(action = "document.share", target(document = id), target(user = &name), metadata(role = role, pages = id + 1))]
async fn fields(Json(Body { id, name, role }): Json<Body>) -> String {
    format!("{id}{name}{role}")
}

#[audited(action = "document.delete", target = "id")]
async fn without_traits(State(state): State<Arc<Opaque>>, id: u64) -> u64 {
    drop(state);
    id
}

#[audited(action = "document.delete", target(document = user.as_ref().map_or("nobody", |user| user.0.as_str())))]
async fn extractors_that_fail(
    user: Option<Extension<String>>,
    body: Result<axum::Json<u8>, JsonRejection>,
) -> bool {
    user.is_some() && body.is_ok()
}

#[audited(action = "document.share", target(document = x), target(user = y), metadata(role = z, notify = *first == 1))]
fn references(&(x, y): &(u8, u8), [first, ..]: &[u8; 4], z: &str) -> u8 {
    drop(z);
    x + y + first
}

#[audited(action = "document.delete", target(document = a))]
#[allow(clippy::toplevel_ref_arg)]
fn by_array_and_ref([a, b]: [u8; 2], ref c: String) -> usize {
    usize::from(a) + usize::from(b) + c.len()
}

#[audited(action = "document.delete", target = "id")]
async fn wildcards(_: Opaque, _unused: Opaque, id: u64) -> u64 {
    id
}

#[audited(action = "document.delete", target = "_id")]
#[allow(clippy::used_underscore_binding)]
fn captured_only(_id: u64) {}

#[audited(action = "document.delete", target = "type")]
async fn raw(r#type: String) -> String {
    r#type
}

#[audited(action = "document.delete", target(document = ok))]
fn named_ok(ok: u64) -> Result<u64, String> {
    Ok(ok + 1)
}

#[audited(action = "link.follow", target(link = url.0), metadata(url = display(url.0)))]
async fn displayed(url: Path<u8>) {
    drop(url);
}

#[audited(action = "document.delete", target = "id", actor = actor, organization = org)]
async fn overridden(id: u64, actor: audit_core::Actor, org: String) {
    drop((id, actor, org));
}

leave! {
    row_07_borrow_that_is_returned: borrowed(&mut vec![], &9) => "document.delete document:9 succeeded";
    row_08_mutated_argument: mutated((1, Vec::new())).await => "document.delete document:1 succeeded";
    row_08_mutated_argument_sync: mutated_sync(1, Vec::new()) => "document.delete document:1 succeeded";
    row_09_reassigned_argument: reassigned("").await => "document.delete document: succeeded";
    row_09_reassigned_argument_sync: reassigned_sync("n") => "document.delete document:n succeeded";
    row_10_moved_argument: is_send(moved("m".to_owned())).await => "document.delete document:m succeeded";
    row_11_option_that_is_moved: optional(Some("o".to_owned())).await => "document.delete document:o succeeded";
    row_12_tuple_struct: tuple_struct(Path(5)).await => "document.delete document:5 succeeded";
    row_13_tuple_in_a_struct: tuple_in_a_struct(Path((1, 2))).await => "document.delete document:1-2 succeeded";
    row_14_fields: fields(Json(body(1))).await => "document.share document:1,user:name succeeded";
    row_15_types_without_traits: is_send(without_traits(State(Arc::new(Opaque)), 2)).await
        => "document.delete document:2 succeeded";
    row_16_extractors_that_fail: extractors_that_fail(Some(Extension("ann".to_owned())), Ok(axum::Json(1))).await
        => "document.delete document:ann succeeded";
    row_17_references: references(&(1, 2), &[1, 2, 3, 4], "z") => "document.share document:1,user:2 succeeded";
    row_17_array_and_ref: by_array_and_ref([3, 4], String::new()) => "document.delete document:3 succeeded";
    row_18_wildcards: wildcards(Opaque, Opaque, 6).await => "document.delete document:6 succeeded";
    row_18_unused_but_captured: captured_only(7) => "document.delete document:7 succeeded";
    row_19_raw_name: raw("t".to_owned()).await => "document.delete document:t succeeded";
    parameter_named_ok: named_ok(4) => "document.delete document:4 succeeded";
    displayed_value: displayed(Path(4)).await => "link.follow link:4 succeeded";
}

#[audited(action = "document.delete", target = "id")]
#[allow(clippy::too_many_arguments)]
async fn sixteen(
    _: Method,
    _: Uri,
    _: Version,
    _: HeaderMap,
    _: OriginalUri,
    State(state): State<Arc<Opaque>>,
    axum::extract::Path(id): axum::extract::Path<u64>,
    Query(_query): Query<std::collections::HashMap<String, String>>,
    Extension(user): Extension<&'static str>,
    _: Option<Extension<u8>>,
    _: Method,
    _: Uri,
    _: Version,
    _: HeaderMap,
    _: OriginalUri,
    body: String,
) -> http::StatusCode {
    drop((state, user));
    if body.len() as u64 == id {
        http::StatusCode::NO_CONTENT
    } else {
        http::StatusCode::FORBIDDEN
    }
}

#[tokio::test]
async fn row_20_sixteen_extractors() {
    let app = axum::Router::new()
        .route("/documents/{id}", delete(sixteen))
        .layer(Extension("ann"))
        .with_state(Arc::new(Opaque));
    for (body, outcome) in [("four", "succeeded"), ("five!", "denied")] {
        let request = Request::delete("/documents/4?a=b").body(body.to_owned());
        let call = app.clone().oneshot(request.expect("a request"));
        assert_eq!(
            one(call).await,
            format!("document.delete document:4 {outcome}")
        );
    }
}

#[tokio::test]
async fn metadata_is_recorded_with_its_kind() {
    let events = events_of(async {
        drop(fields(Json(body(41))).await);
        drop(references(&(1, 2), &[1, 2, 3, 4], "editor"));
    });
    let events = events.await;
    let value = |index: usize, key| {
        let value = events[index].metadata_value(key)?;
        Some(format!("{value:?}"))
    };
    assert_eq!(value(0, "role").as_deref(), Some("Text(\"owner\")"));
    assert_eq!(value(0, "notify"), None);
    assert!(value(0, "pages").is_some_and(|pages| pages.contains("42")));
    assert_eq!(value(1, "notify").as_deref(), Some("Boolean(true)"));
}

#[tokio::test]
async fn actor_and_organization_override_the_scope() {
    let job = overridden(1, audit_core::Actor::service("billing"), "org_2".to_owned());
    let events = events_of(job).await;
    assert_eq!(events[0].organization(), Some("org_2"));
    let actor = events[0].actor().map(|actor| actor.id().to_owned());
    assert_eq!(actor.as_deref(), Some("billing"));
}

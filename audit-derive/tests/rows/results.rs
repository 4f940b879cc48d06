//! Return types of functions.

use std::fmt::Display;

use audit_derive::audited;
use axum::response::IntoResponse;
use http::StatusCode;

use crate::support::{Body, Json, NONE, Path, all, body, events_of, is_send, leave, one, shown};

#[audited(action = "document.delete", target = "id")]
async fn plain(id: u64) -> Result<u64, String> {
    if id == 0 {
        return Err("zero".to_owned());
    }
    let next = u8::try_from(id).map_err(|error| error.to_string())?;
    Ok(u64::from(next))
}

#[audited(action = "document.delete", target = "id")]
async fn unit(id: u64) {
    drop(id);
}

#[audited(action = "document.delete", target = "id")]
fn unit_sync(id: u64) {
    if id == 1 {
        return;
    }
    drop(id);
}

#[audited(action = "document.delete", target = "id")]
fn unit_written(id: u64) -> () {
    drop(id);
}

#[audited(action = "document.delete", target = "id")]
#[allow(clippy::semicolon_if_nothing_returned)]
async fn unit_inferred(id: String) {
    drop(id);
    Default::default()
}

#[audited(action = "document.delete", target = "id")]
async fn response(id: u64) -> impl IntoResponse {
    if id == 0 {
        StatusCode::FORBIDDEN
    } else {
        StatusCode::NO_CONTENT
    }
}

#[audited(action = "document.delete", target = "id")]
async fn opaque(id: u64) -> impl Display + Send {
    id
}

#[audited(action = "document.delete", target = "id")]
async fn response_or_error(Path(id): Path<u64>) -> Result<impl IntoResponse, String> {
    match id {
        0 => Err("zero".to_owned()),
        403 => Ok((StatusCode::FORBIDDEN, "no")),
        500 => Ok((StatusCode::INTERNAL_SERVER_ERROR, "no")),
        _ => Ok((StatusCode::OK, "yes")),
    }
}

#[audited(action = "document.delete", target = "id")]
async fn opaque_inside(Path(id): Path<u64>) -> Result<Json<impl Display>, String> {
    Ok(Json(id))
}

#[audited(action = "document.delete", target = "id")]
async fn coerced(id: u64) -> Result<Box<dyn Display + Send>, Box<dyn std::error::Error>> {
    if id == 0 {
        return Err("zero".into());
    }
    Ok(Box::new(id))
}

#[audited(action = "document.delete", target = "id")]
async fn never(id: u64) -> ! {
    loop {
        drop(id);
        std::future::pending::<()>().await;
    }
}

#[audited(action = "document.delete", target = "id")]
fn never_sync(id: u64) -> ! {
    panic!("{id}")
}

#[audited(action = "document.delete", target = "id")]
fn diverges(id: u64) -> u64 {
    panic!("{id}")
}

#[audited(action = "document.share", target(document = ok.id), target(user = id), metadata(role = ok.role, pages = ok.name.len()))]
async fn created(id: u64) -> Result<Body, String> {
    if id == 0 {
        return Err(format!("{id} may not"));
    }
    Ok(body(id + 1))
}

#[audited(action = "document.delete", target = "ok.0.id")]
fn created_inside(id: u64) -> Result<(Body, u8), String> {
    assert!(id < 10, "on purpose");
    Ok((body(id), 0))
}

leave! {
    row_01_async_result: is_send(plain(7)).await => "document.delete document:7 succeeded";
    row_02_early_return: plain(0).await => "document.delete document:0 failed";
    row_02_question_mark: plain(256).await => "document.delete document:256 failed";
    row_03_unit_async: is_send(unit(1)).await => "document.delete document:1 succeeded";
    row_03_unit_return: unit_sync(1) => "document.delete document:1 succeeded";
    row_03_unit_to_the_end: unit_sync(2) => "document.delete document:2 succeeded";
    row_03_unit_type: unit_written(1) => "document.delete document:1 succeeded";
    row_03_unit_inferred: unit_inferred("x".to_owned()).await => "document.delete document:x succeeded";
    row_04_opaque_response: response(1).await => "document.delete document:1 succeeded";
    row_04_opaque_response_that_denies: response(0).await => "document.delete document:0 denied";
    row_04_opaque_value: opaque(1).await.to_string() => "document.delete document:1 succeeded";
    row_05_opaque_inside: opaque_inside(Path(2)).await => "document.delete document:2 succeeded";
    row_05_response_that_succeeds: response_or_error(Path(1)).await => "document.delete document:1 succeeded";
    row_05_response_that_denies: response_or_error(Path(403)).await => "document.delete document:403 denied";
    row_05_response_that_fails: response_or_error(Path(500)).await => "document.delete document:500 failed";
    row_05_error: response_or_error(Path(0)).await => "document.delete document:0 failed";
    row_06_coercion: coerced(3).await => "document.delete document:3 succeeded";
    row_06_coercion_of_an_error: coerced(0).await => "document.delete document:0 failed";
    value_of_the_result: is_send(created(7)).await => "document.share user:7,document:8 succeeded";
    no_value_of_the_result: created(0).await => "document.share user:0,document:unresolved failed";
    value_of_the_result_by_name: created_inside(3) => "document.delete document:3 succeeded";
}

#[tokio::test]
async fn row_36_never_is_panicked_or_abandoned() {
    for job in [|| drop(diverges(1)), || never_sync(1)] {
        let caught = async { std::panic::catch_unwind(job).is_err() };
        let event = one(async { assert!(caught.await) }).await;
        assert_eq!(event, "document.delete document:1 panicked");
    }
    let dropped = async {
        let waiting = tokio::time::timeout(std::time::Duration::ZERO, never(1));
        assert!(waiting.await.is_err());
    };
    assert_eq!(one(dropped).await, "document.delete document:1 abandoned");
}

#[tokio::test]
async fn what_only_a_result_knows_is_left_out_without_one() {
    let events = events_of(async {
        drop(created(7).await);
        drop(created(0).await);
    });
    let metadata = |event: &audit_core::Event| {
        ["role", "pages"].map(|key| event.metadata_value(key).map(|value| value.to_string()))
    };
    let events = events.await;
    assert_eq!(
        metadata(&events[0]),
        [Some("owner".to_owned()), Some("4".to_owned())]
    );
    assert_eq!(metadata(&events[1]), [None, None]);
}

#[tokio::test]
async fn a_target_that_was_never_created_is_unresolved_after_a_panic() {
    let events = events_of(async {
        let task = async { std::panic::catch_unwind(|| drop(created_inside(10))) };
        assert!(task.await.is_err());
    });
    assert_eq!(
        shown(&events.await[0]),
        "document.delete document:unresolved panicked"
    );
}

#[tokio::test]
async fn without_a_recorder_the_function_still_runs() {
    assert_eq!(plain(3).await, Ok(3));
    assert_eq!(all(async {}).await, NONE);
}

//! Exempts functions of many shapes with `#[unaudited]`, under the lints of a strict project.
//!
//! Each function is called in the scope of a request, which is then not reported, and leaves no
//! event of its own.

#![forbid(unsafe_code)]
#![deny(warnings, clippy::all, clippy::pedantic)]

use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::time::Duration;

use async_trait::async_trait;
use audit_core::web::{AuditConfig, OnUnaudited, RequestAudit, RequestHead};
use audit_core::{Actor, MemorySink, Recorder};
use audit_derive::{audited, unaudited};
use http::StatusCode;

struct Post;

impl RequestHead for Post {
    fn method(&self) -> &'static str {
        "POST"
    }

    fn header<'a>(&'a self, _: &'a str) -> impl Iterator<Item = &'a [u8]> {
        std::iter::empty()
    }

    fn peer(&self) -> Option<IpAddr> {
        None
    }
}

/// Returns the number of reported requests and of events when this job responds to `POST /search`
/// with 200.
#[expect(clippy::expect_used, reason = "a test without a recorder fails")]
async fn left(job: impl Future) -> (u64, usize) {
    let sink = MemorySink::new();
    let recorder = Recorder::builder(sink.clone())
        .fallback_organization("org_1")
        .build()
        .expect("a recorder");
    let policy = AuditConfig::new(recorder.clone()).on_unaudited(OnUnaudited::Ignore);
    let mut call = RequestAudit::open(&policy, &Post);
    call.scope().set_actor(Actor::user("user_1"));
    drop(call.scope().clone().in_scope(job).await);
    call.settle(StatusCode::OK, Some("/search"));
    let _report = recorder.shutdown(Duration::from_secs(10)).await;
    (recorder.stats().unaudited, sink.take().len())
}

struct Store {
    documents: Vec<String>,
}

#[async_trait]
trait Search {
    async fn first(&self, prefix: &str) -> Option<String>;

    #[unaudited(reason = "a search changes nothing")]
    async fn any(&self, prefix: &str) -> bool {
        self.first(prefix).await.is_some()
    }
}

#[async_trait]
impl Search for Store {
    async fn first(&self, prefix: &str) -> Option<String> {
        self.find(prefix).map(str::to_owned)
    }
}

impl Store {
    fn find(&self, prefix: &str) -> Option<&str> {
        let mut documents = self.documents.iter().map(String::as_str);
        documents.find(|document| document.starts_with(prefix))
    }

    #[unaudited(reason = "a search changes nothing")]
    fn at_once<'a>(&'a self, prefix: &str) -> Option<&'a str> {
        use std::ops::Not;
        prefix.is_empty().not().then(|| self.find(prefix)).flatten()
    }

    #[unaudited(reason = "a search changes nothing")]
    async fn later(mut self, prefix: &str) -> Result<String, ()> {
        self.documents.sort();
        std::future::ready(()).await;
        let found = self.find(prefix).ok_or(())?;
        Ok(found.to_owned())
    }

    #[unaudited(reason = "a search changes nothing")]
    fn returned<'a>(
        &'a self,
        prefix: &'a str,
    ) -> impl Future<Output = Option<&'a str>> + Send + use<'a> {
        std::future::ready(self.find(prefix))
    }

    #[unaudited(reason = "a search changes nothing")]
    fn boxed<'a>(&'a self, prefix: &'a str) -> Pin<Box<dyn Future<Output = bool> + Send + 'a>> {
        Box::pin(async move { self.find(prefix).is_some() })
    }
}

#[audited(action = "document.delete", target = "id")]
fn delete(id: u64) -> u64 {
    id
}

#[unaudited(reason = "decides whether to delete")]
fn perhaps_delete(id: u64) -> Option<u64> {
    (id > 0).then(|| delete(id))
}

fn store() -> Store {
    Store {
        documents: vec!["plan".to_owned()],
    }
}

#[tokio::test]
async fn without_the_attribute_the_request_is_reported() {
    assert_eq!(
        left(async { store().find("plan").map(str::len) }).await,
        (1, 0)
    );
}

#[tokio::test]
async fn a_sync_method_is_exempt() {
    let job = async { assert_eq!(store().at_once("plan"), Some("plan")) };
    assert_eq!(left(job).await, (0, 0));
}

#[tokio::test]
async fn an_async_method_is_exempt() {
    let job = async { assert_eq!(store().later("plan").await.as_deref(), Ok("plan")) };
    assert_eq!(left(job).await, (0, 0));
}

#[tokio::test]
async fn a_function_that_returns_a_future_is_exempt() {
    let job = async { assert_eq!(store().returned("plan").await, Some("plan")) };
    assert_eq!(left(job).await, (0, 0));
    let job = async { assert!(store().boxed("plan").await) };
    assert_eq!(left(job).await, (0, 0));
}

#[tokio::test]
async fn a_function_of_an_async_trait_is_exempt() {
    let job = async { assert!(store().any("plan").await) };
    assert_eq!(left(job).await, (0, 0));
}

#[tokio::test]
async fn an_unpolled_async_function_exempts_nothing() {
    let job = async { drop(store().later("plan")) };
    assert_eq!(left(job).await, (1, 0));
}

#[tokio::test]
async fn an_audited_function_in_the_body_leaves_its_event() {
    let job = async { perhaps_delete(7) };
    assert_eq!(left(job).await, (0, 1));
}

#[test]
fn outside_of_any_scope_it_does_nothing() {
    assert_eq!(store().at_once("plan"), Some("plan"));
}

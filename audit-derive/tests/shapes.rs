//! Functions of many shapes, under every lint that a careful project may have. Each is called, and its events are counted:
//! an attribute that does nothing would compile as well.

#![deny(
    warnings,
    missing_docs,
    unused,
    future_incompatible,
    rust_2018_idioms,
    rust_2021_compatibility
)]
#![deny(
    let_underscore_drop,
    single_use_lifetimes,
    unit_bindings,
    unreachable_pub,
    unused_lifetimes
)]
#![deny(
    unused_qualifications,
    unused_results,
    trivial_casts,
    missing_debug_implementations
)]
#![deny(clippy::all, clippy::pedantic, clippy::nursery)]
#![allow(
    clippy::unused_async,
    clippy::missing_const_for_fn,
    clippy::needless_pass_by_value,
    clippy::unused_self
)]
#![allow(
    clippy::drop_non_drop,
    clippy::large_types_passed_by_value,
    clippy::trivially_copy_pass_by_ref,
    clippy::option_if_let_else,
    clippy::redundant_pub_crate,
    clippy::unused_unit,
    clippy::missing_safety_doc,
    clippy::panic,
    clippy::expect_used
)]
#![allow(dropping_copy_types, dropping_references, reason = "shapes, not style")]
#![expect(clippy::allow_attributes_without_reason)]

use audit_core::{Actor, Event, MemorySink, Outcome, Recorder};
use audit_derive::audited;
use std::fmt::Display;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

struct Path<T>(T);
struct Json<T>(T);
struct Body {
    id: u64,
    name: String,
    role: &'static str,
}

/// Plain.
#[audited(action = "document.delete", target = "id")]
async fn plain(id: u64) -> Result<u64, String> {
    if id == 0 {
        return Err("zero".to_owned());
    }
    let next = Ok::<_, String>(id)?;
    Ok(next)
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
async fn inferred_unit(id: String) {
    drop(id);
    Default::default()
}

#[audited(action = "document.delete", target = "id")]
async fn impl_trait(id: u64) -> impl Display + Send {
    id
}

#[audited(action = "document.delete", target = "id")]
async fn impl_trait_inside(Path(id): Path<u64>) -> Result<Json<impl Display>, String> {
    Ok(Json(id))
}

#[audited(action = "document.delete", target = "id")]
async fn coerced(id: u64) -> Result<Box<dyn Display + Send>, String> {
    Ok(Box::new(id))
}

#[audited(action = "document.share", target(document = id), target(user = &name), metadata(role = role, pages = id + 1))]
async fn patterns(
    Json(Body { id, name, role }): Json<Body>,
    Path((a, _b)): Path<(u8, u8)>,
    _: u8,
) -> String {
    drop(a);
    format!("{id}{name}{role}")
}

#[audited(action = "document.share", target(document = x), target(user = y), metadata(role = z, notify = *first == 1))]
fn references(&(x, y): &(u8, u8), [first, ..]: &[u8; 4], z: &str) -> u8 {
    drop(z);
    x + y + first
}

#[audited(action = "document.delete", target = "type")]
async fn raw(r#type: String) -> String {
    r#type
}

#[audited(action = "document.delete", target = "id")]
async fn moved(id: String) {
    drop(id);
}

#[audited(action = "document.delete", target = "id")]
async fn optional(id: Option<String>) -> usize {
    if let Some(id) = id { id.len() } else { 0 }
}

#[audited(action = "document.delete", target = "bytes.0")]
async fn mutated(mut bytes: (u8, Vec<u8>)) -> Vec<u8> {
    bytes.1.push(1);
    bytes.1
}

#[audited(action = "document.delete", target = "name")]
async fn reassigned(mut name: &str) -> usize {
    let own = String::from("longer");
    if name.is_empty() {
        name = &own;
    }
    name.len()
}

#[audited(action = "document.delete", target(document = value.len()))]
async fn generic<T, const N: usize>(value: &[T; N], make: impl Fn(&str) -> T + Send) -> T
where
    T: Clone + Send + Sync,
    for<'a> &'a T: Send,
{
    let first: Option<T> = value.first().cloned();
    first.unwrap_or_else(|| make("x"))
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

#[audited(action = "document.delete", target = "id")]
extern "C" fn foreign(id: u64) -> u64 {
    id
}

#[audited(action = "document.delete", target = "id")]
fn inner_attributes(id: u64) {
    #![allow(unused_variables)]
    //! Documentation.
    let unused = 1;
}

#[audited(action = "document.delete", target = "id")]
#[rustfmt::skip]
fn one_line(id: u64) -> u64 { id }

#[audited(action = "document.delete", target = "id")]
fn names(id: u64) -> u64 {
    let (draft, output, edge, site) = (1, 2, 3, 4);
    draft + output + edge + site + id
}

#[audited(action = "document.delete", target = "id")]
fn borrowed<'a>(items: &'a mut Vec<u64>, id: &u64) -> Option<&'a mut u64> {
    items.push(*id);
    items.last_mut()
}

#[audited(action = "document.delete", target = "id")]
#[audited(action = "document.delete", target = "id")]
async fn twice(id: u64) -> u64 {
    id
}

#[audited(action = "document.delete", target = "n")]
async fn recursive(n: u64) -> u64 {
    if n == 0 {
        0
    } else {
        Box::pin(recursive(n - 1)).await
    }
}

#[audited(action = "link.follow", target(link = url.0), metadata(url = display(url.0)))]
async fn displayed(url: Path<u8>) {
    drop(url);
}

#[audited(action = "document.delete", target = "id", actor = actor, organization = org)]
async fn overridden(id: u64, actor: Actor, org: String) {
    drop((id, actor, org));
}

#[audited(action = "document.share", target(document = ok.id), target(user = id), metadata(role = ok.role, pages = ok.name.len()))]
async fn created(id: u64) -> Result<Body, String> {
    if id == 0 {
        return Err(format!("{id} may not"));
    }
    Ok(Body {
        id: id + 1,
        name: "four".to_owned(),
        role: "owner",
    })
}

#[audited(action = "document.delete", target = "ok.0.id")]
fn created_inside(id: u64) -> Result<(Body, u8), String> {
    assert!(id < 10, "on purpose");
    Ok((
        Body {
            id,
            name: String::new(),
            role: "",
        },
        0,
    ))
}

#[audited(action = "document.delete", target(document = ok))]
fn named_ok(ok: u64) -> Result<u64, String> {
    Ok(ok + 1)
}

struct Store {
    id: String,
    items: Vec<u64>,
}

impl Store {
    #[audited(action = "document.delete", target = "self.id")]
    async fn by_reference(&self) -> &str {
        &self.id
    }

    #[audited(action = "document.delete", target = "self.id")]
    fn by_mutable(&mut self) -> Result<&mut u64, String> {
        self.items.push(1);
        self.items.last_mut().ok_or_else(String::new)
    }

    #[audited(action = "document.delete", target = "self.id")]
    async fn by_value(mut self) -> Self {
        self.items.clear();
        self
    }

    #[audited(action = "document.delete", target = "self.id")]
    async fn by_arc(self: Arc<Self>) -> usize {
        self.items.len()
    }

    #[audited(action = "document.delete", target = "self.id")]
    fn by_box(self: Box<Self>) -> Self {
        *self
    }

    #[audited(action = "document.delete", target(document = self.id))]
    fn by_pin(self: Pin<&mut Self>) -> usize {
        self.items.len()
    }
}

trait Trait {
    fn id(&self) -> u64;

    #[audited(action = "document.delete", target(document = self.id()))]
    fn default(&self) -> u64 {
        self.id()
    }
}

impl Trait for Store {
    #[audited(action = "document.delete", target = "self.id")]
    fn id(&self) -> u64 {
        1
    }
}

macro_rules! made_by_macro {
    ($vis:vis fn $name:ident($id:ident: $type:ty) -> $output:ty $body:block) => {
        #[audited(action = "document.delete", target(document = $id))]
        $vis async fn $name($id: $type) -> $output $body

        impl Store {
            #[audited(action = "document.delete", target = "self.id")]
            $vis fn $name(&self, other: u64) -> u64 { self.items.len() as u64 + other }
        }

        #[audited(action = "document.delete", target = "other")]
        $vis fn made_inside(other: u64) -> u64 { other }
    };
}
made_by_macro!(
    pub(crate) fn made(id: u64) -> Result<u64, String> {
        Ok(id)
    }
);

mod shadows {
    #![no_implicit_prelude]
    #![allow(dead_code, clippy::upper_case_acronyms)]
    type Result<T> = ::core::result::Result<T, ()>;
    struct Option;
    struct String;
    mod core {}
    mod std {}
    mod audit_core {}
    static SITE: u8 = 1;
    struct CallSite;
    fn open() {}

    #[::audit_derive::audited(action = "document.delete", target = "id")]
    pub(crate) fn shadowed(id: u8) -> Result<u8> {
        use Shadow::Result as Other;
        let _: Shadow = Other;
        ::core::result::Result::Ok(id + SITE)
    }

    enum Shadow {
        Result,
    }

    #[::audit_derive::audited(action = "document.delete", target = "id")]
    pub(crate) fn shadowed_in_the_body(id: u8) -> Vec {
        enum Names {
            Vec,
        }
        let _ = Names::Vec;
        Vec(id)
    }
    pub(crate) struct Vec(u8);
}

fn is_send<T: Future + Send>(future: T) -> T {
    future
}

/// Runs a job under a recorder and gives its events, each as `action type:id.. outcome`.
async fn events_of(job: impl Future) -> Vec<Event> {
    let sink = MemorySink::new();
    let recorder = Recorder::builder(sink.clone())
        .fallback_organization("org_1")
        .build()
        .expect("a recorder");
    drop(recorder.scope().actor(Actor::user("user_1")).run(job).await);
    let _report = recorder.shutdown(Duration::from_secs(10)).await;
    sink.take()
}

async fn one(job: impl Future) -> String {
    let events = events_of(job).await;
    let [event] = &events[..] else {
        panic!("one event, not {events:?}")
    };
    shown(event)
}

fn shown(event: &Event) -> String {
    let targets: Vec<_> = event
        .targets()
        .map(|target| format!("{}:{}", target.kind(), target.id()))
        .collect();
    format!(
        "{} {} {}",
        event.action(),
        targets.join(","),
        event.outcome()
    )
}

macro_rules! shapes {
    ($($name:ident: $job:expr => $event:literal;)*) => {$(
        #[tokio::test]
        async fn $name() {
            assert_eq!(one(async { drop($job) }).await, $event);
        }
    )*};
}

mod leaves_one_event {
    use super::*;

    fn store() -> Store {
        Store {
            id: "s".to_owned(),
            items: Vec::new(),
        }
    }

    shapes! {
        a_result: is_send(plain(7)).await => "document.delete document:7 succeeded";
        an_error: plain(0).await => "document.delete document:0 failed";
        unit_async: is_send(unit(1)).await => "document.delete document:1 succeeded";
        unit_return: unit_sync(1) => "document.delete document:1 succeeded";
        unit_type: unit_written(1) => "document.delete document:1 succeeded";
        unit_inferred: inferred_unit("x".to_owned()).await => "document.delete document:x succeeded";
        impl_type: impl_trait(1).await.to_string() => "document.delete document:1 succeeded";
        impl_type_inside: impl_trait_inside(Path(2)).await => "document.delete document:2 succeeded";
        coercion: coerced(3).await => "document.delete document:3 succeeded";
        pattern: patterns(Json(Body { id: 1, name: "n".to_owned(), role: "r" }), Path((1, 2)), 3).await
            => "document.share document:1,user:n succeeded";
        reference_pattern: references(&(1, 2), &[1, 2, 3, 4], "z") => "document.share document:1,user:2 succeeded";
        raw_name: raw("t".to_owned()).await => "document.delete document:t succeeded";
        moved_argument: moved("m".to_owned()).await => "document.delete document:m succeeded";
        an_option: optional(Some("o".to_owned())).await => "document.delete document:o succeeded";
        mutated_argument: mutated((1, Vec::new())).await => "document.delete document:1 succeeded";
        reassigned_argument: reassigned("").await => "document.delete document: succeeded";
        generics: generic(&[1, 2], |_| 1).await => "document.delete document:2 succeeded";
        other_abi: foreign(1) => "document.delete document:1 succeeded";
        inner_attribute: inner_attributes(1) => "document.delete document:1 succeeded";
        on_one_line: one_line(1) => "document.delete document:1 succeeded";
        same_names: names(1) => "document.delete document:1 succeeded";
        returned_borrow: borrowed(&mut vec![], &9) => "document.delete document:9 succeeded";
        displayed_value: displayed(Path(4)).await => "link.follow link:4 succeeded";
        result_value: is_send(created(7)).await => "document.share user:7,document:8 succeeded";
        no_result_value: created(0).await => "document.share user:0,document:unresolved failed";
        result_value_by_name: created_inside(3) => "document.delete document:3 succeeded";
        parameter_named_ok: named_ok(4) => "document.delete document:4 succeeded";
        reference_receiver: store().by_reference().await => "document.delete document:s succeeded";
        mutable_receiver: store().by_mutable() => "document.delete document:s succeeded";
        value_receiver: store().by_value().await => "document.delete document:s succeeded";
        arc_receiver: Arc::new(store()).by_arc().await => "document.delete document:s succeeded";
        box_receiver: Box::new(store()).by_box() => "document.delete document:s succeeded";
        pin_receiver: Pin::new(&mut store()).by_pin() => "document.delete document:s succeeded";
        trait_method: Trait::id(&store()) => "document.delete document:s succeeded";
        from_a_macro: made(5).await => "document.delete document:5 succeeded";
        method_from_a_macro: store().made(5) => "document.delete document:s succeeded";
        wholly_from_a_macro: made_inside(6) => "document.delete document:6 succeeded";
        shadowed_names: shadows::shadowed(1) => "document.delete document:1 succeeded";
        shadowed_names_in_the_body: shadows::shadowed_in_the_body(1) => "document.delete document:1 succeeded";
    }
}

#[tokio::test]
async fn what_only_a_result_knows_is_left_out_without_one() {
    let metadata = |event: &Event| {
        let role = event.metadata_value("role").map(|value| value.to_string());
        (
            role,
            event.metadata_value("pages").map(|value| value.to_string()),
        )
    };
    let made = events_of(created(7)).await;
    assert_eq!(
        metadata(&made[0]),
        (Some("owner".to_owned()), Some("4".to_owned()))
    );
    let failed = events_of(created(0)).await;
    assert_eq!(metadata(&failed[0]), (None, None));
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
async fn nested_audited_calls_leave_an_event_each() {
    assert_eq!(events_of(is_send(recursive(2))).await.len(), 3);
    assert_eq!(events_of(twice(1)).await.len(), 2);
    assert_eq!(
        events_of(async {
            Trait::default(&Store {
                id: String::new(),
                items: Vec::new(),
            })
        })
        .await
        .len(),
        3
    );
}

#[tokio::test]
async fn metadata_is_recorded_with_its_kind() {
    let body = Body {
        id: 41,
        name: "n".to_owned(),
        role: "editor",
    };
    let events = events_of(patterns(Json(body), Path((1, 2)), 3)).await;
    let value = |key| {
        events[0]
            .metadata_value(key)
            .map(|value| format!("{value:?}"))
    };
    assert_eq!(value("role").as_deref(), Some("Text(\"editor\")"));
    assert_eq!(value("notify"), None);
    assert!(
        value("pages").is_some_and(|pages| pages.contains("42")),
        "{:?}",
        value("pages")
    );
}

#[tokio::test]
async fn actor_and_organization_override_the_scope() {
    let events = events_of(overridden(1, Actor::service("billing"), "org_2".to_owned())).await;
    assert_eq!(events[0].organization(), Some("org_2"));
    assert_eq!(
        events[0]
            .actor()
            .map(|actor| actor.id().to_owned())
            .as_deref(),
        Some("billing")
    );
}

#[tokio::test]
async fn a_panic_is_recorded_and_goes_on() {
    for job in [|| drop(diverges(1)), || never_sync(1)] {
        let caught = async { std::panic::catch_unwind(job).is_err() };
        let events = events_of(async { assert!(caught.await) }).await;
        assert_eq!(events.len(), 1);
        assert_eq!(events[0].outcome(), Outcome::Panicked);
    }
}

#[tokio::test]
async fn a_future_that_is_dropped_is_abandoned_and_one_that_never_ran_is_nothing() {
    let events = events_of(async { tokio::time::timeout(Duration::ZERO, never(1)).await }).await;
    assert_eq!(
        events.iter().map(shown).collect::<Vec<_>>(),
        ["document.delete document:1 abandoned"]
    );
    assert_eq!(events_of(async { drop(never(1)) }).await.len(), 0);
}

#[tokio::test]
async fn without_a_recorder_the_function_still_runs() {
    assert_eq!(plain(3).await, Ok(3));
}

#[test]
fn a_future_grows_by_the_draft_and_not_by_its_arguments() {
    async fn not_audited(id: u64, bytes: [u8; 1024]) -> usize {
        std::future::ready(()).await;
        bytes.len() + usize::from(id == 0)
    }
    #[audited(action = "document.delete", target = "id")]
    async fn audited(id: u64, bytes: [u8; 1024]) -> usize {
        std::future::ready(()).await;
        bytes.len() + usize::from(id == 0)
    }
    let without = size_of_val(&not_audited(1, [0; 1024]));
    let with = size_of_val(&audited(1, [0; 1024]));
    assert!(with <= without + 256, "{without} bytes became {with}");
}

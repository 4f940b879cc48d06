//! Functions that are not async and return a future.

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use async_recursion::async_recursion;
use audit_derive::audited;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, LocalBoxFuture, Ready, ready};

use crate::support::{all, events_of, is_send, leave, one};

#[audited(action = "document.delete", target = "id")]
fn bare(id: u64) -> impl Future<Output = Result<u64, String>> + Send {
    async move {
        let next = u8::try_from(id).map_err(|error| error.to_string())?;
        if next == 0 {
            return Err("zero".to_owned());
        }
        tokio::task::yield_now().await;
        Ok(u64::from(next))
    }
}

#[audited(action = "document.delete", target = "name")]
fn bare_and_borrowing<'a>(
    name: &'a str,
    out: &'a mut String,
) -> impl Future<Output = usize> + use<'a> {
    out.push_str(name);
    async { out.len() }
}

#[audited(action = "document.delete", target = "name")]
fn bare_and_static(
    name: &str,
) -> impl Future<Output = usize> + Send + Sync + Unpin + 'static + use<> {
    ready(name.len())
}

#[audited(action = "document.delete", target = "id")]
fn bare_and_opaque(id: u64) -> impl Future<Output = impl std::fmt::Display> {
    async move { id }
}

#[audited(action = "document.delete", target = "id")]
fn bare_and_unit(id: String) -> impl Future<Output = ()> + Send {
    async move { drop(id) }
}

struct Store {
    id: String,
}

fn store() -> Store {
    Store { id: "s".to_owned() }
}

impl Store {
    #[audited(action = "document.delete", target = "self.id")]
    fn pinned<'a>(
        &'a self,
        name: &'a str,
    ) -> Pin<Box<dyn Future<Output = Result<&'a str, String>> + Send + 'a>> {
        Box::pin(async move {
            if name.is_empty() {
                return Err("no name".to_owned());
            }
            std::future::ready(()).await;
            Ok(self.id.as_str())
        })
    }

    #[audited(action = "document.delete", target = "id")]
    fn by_name(&mut self, id: u64) -> BoxFuture<'_, Result<usize, String>> {
        self.id.push('!');
        async move { Ok(self.id.len() + usize::try_from(id).map_err(|error| error.to_string())?) }
            .boxed()
    }

    #[audited(action = "document.delete", target = "id")]
    fn local(&self, id: Rc<str>) -> LocalBoxFuture<'_, usize> {
        async move { self.id.len() + id.len() }.boxed_local()
    }

    #[audited(action = "document.delete", target(document = ok.id))]
    fn read_late(id: u64) -> BoxFuture<'static, Result<Self, String>> {
        Box::pin(async move {
            let id = if id == 0 {
                Err("none".to_owned())
            } else {
                Ok(id.to_string())
            };
            Ok(Self { id: id? })
        })
    }

    #[audited(action = "document.delete", target = "id")]
    fn with_statements(
        &self,
        id: String,
        mut steps: Vec<u8>,
    ) -> Pin<Box<dyn Future<Output = Result<usize, String>> + Send>> {
        let own = self.id.clone();
        if id.is_empty() {
            return Box::pin(ready(Err("empty".to_owned())));
        }
        steps.push(1);
        drop(id);
        let helper = move |extra: usize| own.len() + extra;
        Box::pin(async move { Ok(helper(steps.len())) })
    }

    #[audited(action = "document.delete", target = "id")]
    fn not_a_block(&self, id: u64) -> BoxFuture<'_, Result<&str, String>> {
        let name = "name";
        if id == 1 {
            self.pinned(name)
        } else {
            self.pinned("")
        }
    }

    #[audited(action = "document.delete", target = "id")]
    fn boxed_and_unpin(id: u64) -> Box<dyn Future<Output = Result<u64, ()>> + Unpin + Send> {
        Box::new(ready(if id == 0 { Err(()) } else { Ok(id) }))
    }
}

trait Service {
    type Future: Future<Output = Result<u64, String>>;
    fn call(&mut self, request: u64) -> Self::Future;
}

impl Service for Store {
    type Future = BoxFuture<'static, Result<u64, String>>;

    #[audited(action = "document.delete", target = "request")]
    fn call(&mut self, request: u64) -> Self::Future {
        self.id.clear();
        Box::pin(async move {
            if request == 0 {
                Err(String::new())
            } else {
                Ok(request)
            }
        })
    }
}

#[audited(action = "document.delete", target = "id", error = display, outcome = judged, on = [denied])]
fn with_further_arguments(id: u64) -> impl Future<Output = Result<u64, String>> {
    async move {
        if id == 0 {
            Err("not yours".to_owned())
        } else {
            Ok(id)
        }
    }
}

const fn judged(result: &Result<u64, String>) -> audit_core::Outcome {
    match result {
        Ok(_) => audit_core::Outcome::Succeeded,
        Err(_) => audit_core::Outcome::Denied,
    }
}

/// Returns a future behind an alias, without a block at the end, which counts as a value.
#[audited(action = "document.delete", target = "id")]
fn named(id: u64) -> Ready<u64> {
    ready(id)
}

leave! {
    row_28_opaque_future: is_send(bare(7)).await => "document.delete document:7 succeeded";
    row_28_early_return: bare(0).await => "document.delete document:0 failed";
    row_28_question_mark: bare(256).await => "document.delete document:256 failed";
    row_28_borrows: bare_and_borrowing("n", &mut String::new()).await => "document.delete document:n succeeded";
    row_28_static_and_unpin: is_send(bare_and_static("n")).await => "document.delete document:n succeeded";
    row_28_opaque_output: bare_and_opaque(3).await.to_string() => "document.delete document:3 succeeded";
    row_28_unit: is_send(bare_and_unit("u".to_owned())).await => "document.delete document:u succeeded";
    row_29_pinned_box: is_send(store().pinned("n")).await => "document.delete document:s succeeded";
    row_29_pinned_box_that_fails: store().pinned("").await => "document.delete document:s failed";
    row_29_box_future: is_send(store().by_name(1)).await => "document.delete document:1 succeeded";
    row_29_local_box_future: store().local("l".into()).await => "document.delete document:l succeeded";
    row_29_value_of_the_result: Store::read_late(5).await => "document.delete document:5 succeeded";
    row_29_no_value_of_the_result: Store::read_late(0).await => "document.delete document:unresolved failed";
    row_29_boxed_and_unpin: is_send(Store::boxed_and_unpin(0)).await => "document.delete document:0 failed";
    row_29_associated_type: store().call(0).await => "document.delete document:0 failed";
    row_29_other_names_are_values: named(6) => "document.delete document:6 succeeded";
    row_30_statements_before: is_send(store().with_statements("x".to_owned(), vec![])).await
        => "document.delete document:x succeeded";
    row_30_return_before: store().with_statements(String::new(), vec![]).await => "document.delete document: failed";
}

#[tokio::test]
async fn row_28_the_event_is_recorded_at_completion() {
    let left = all(async {
        let future = bare(7);
        drop(bare(1));
        drop(store().by_name(2));
        assert_eq!(future.await, Ok(7));
        // Polled once, and then dropped.
        let mut pending = Box::pin(bare(8));
        assert!(futures_util::poll!(&mut pending).is_pending());
    });
    assert_eq!(
        left.await,
        [
            "document.delete document:7 succeeded",
            "document.delete document:8 abandoned"
        ]
    );
}

#[tokio::test]
async fn further_arguments_work_in_a_returned_future() {
    let events = events_of(async {
        assert_eq!(with_further_arguments(1).await, Ok(1));
        assert!(with_further_arguments(0).await.is_err());
    });
    let events = events.await;
    let [event] = &events[..] else {
        panic!("one event, not {events:?}")
    };
    assert_eq!(event.outcome(), audit_core::Outcome::Denied);
    let error = event.metadata_value("error").map(|error| error.to_string());
    assert_eq!(error.as_deref(), Some("not yours"));
}

#[tokio::test]
async fn row_30_statements_run_at_the_call() {
    let mut out = String::new();
    drop(bare_and_borrowing("name", &mut out));
    assert_eq!(out, "name");
}

#[tokio::test]
async fn row_30_a_panic_in_the_statements_is_recorded() {
    #[audited(action = "document.delete", target = "id")]
    fn panics(id: u64) -> BoxFuture<'static, u64> {
        assert!(id > 0, "on purpose");
        Box::pin(ready(id))
    }
    let left = one(async {
        assert!(std::panic::catch_unwind(|| drop(panics(0))).is_err());
    });
    assert_eq!(left.await, "document.delete document:0 panicked");
}

#[audited(action = "document.delete", target = "n")]
async fn recursive(n: u64) -> u64 {
    if n == 0 {
        0
    } else {
        Box::pin(recursive(n - 1)).await + 1
    }
}

#[audited(action = "document.delete", target = "n")]
#[async_recursion]
async fn recursive_below(n: u64) -> u64 {
    if n == 0 {
        0
    } else {
        recursive_below(n - 1).await + 1
    }
}

#[async_recursion]
#[audited(action = "document.delete", target = "name")]
async fn recursive_above(name: &str, n: u64) -> u64 {
    if n == 0 {
        0
    } else {
        recursive_above(name, n - 1).await + 1
    }
}

#[tokio::test]
async fn row_31_recursion_leaves_an_event_for_each_call() {
    let left = events_of(async {
        let boxed = tokio::spawn(
            audit_core::Scope::current()
                .expect("a scope")
                .in_scope(recursive(2)),
        );
        assert_eq!(boxed.await.ok(), Some(2));
        assert_eq!(is_send(recursive_below(2)).await, 2);
        assert_eq!(is_send(recursive_above("n", 2)).await, 2);
    });
    assert_eq!(left.await.len(), 9);
}

mod chain {
    use audit_derive::audited;

    #[audited(action = "document.delete", target = "id")]
    pub(crate) async fn f0(id: u64) -> Result<u64, String> {
        std::future::ready(()).await;
        Ok(id)
    }

    macro_rules! chain {
        ($($name:ident $next:ident;)*) => {$(
            #[audited(action = "document.delete", target = "id")]
            pub(crate) async fn $name(id: u64) -> Result<u64, String> {
                $next(id).await
            }
        )*};
    }
    chain! {
        f1 f0; f2 f1; f3 f2; f4 f3; f5 f4; f6 f5; f7 f6; f8 f7; f9 f8; f10 f9; f11 f10; f12 f11; f13 f12; f14 f13; f15 f14;
        f16 f15; f17 f16; f18 f17; f19 f18; f20 f19; f21 f20; f22 f21; f23 f22;
    }
}

/// `tokio::spawn` requires a proof of `Send`, at the default recursion limit. Each audited function
/// adds two layers to the proof, itself and its inner block; a third would exceed the limit at 15.
#[tokio::test]
async fn row_32_a_chain_of_24_is_send() {
    let left = events_of(async {
        let scope = audit_core::Scope::current().expect("a scope");
        let spawned = tokio::spawn(scope.in_scope(chain::f23(1)));
        assert_eq!(spawned.await.ok(), Some(Ok(1)));
    });
    assert_eq!(left.await.len(), 24);
}

#[audited(action = "document.delete", target(document = id.get()))]
async fn not_send(id: Rc<Cell<u64>>) -> Result<u64, String> {
    tokio::task::yield_now().await;
    id.set(id.get() + 1);
    Ok(id.get())
}

#[audited(action = "document.delete", target(document = id.get()))]
fn not_send_and_returned(id: Rc<Cell<u64>>) -> impl Future<Output = Result<u64, String>> {
    async move { Ok(id.get()) }
}

#[tokio::test]
async fn row_58_futures_that_are_not_send_run_on_one_thread() {
    let local = tokio::task::LocalSet::new();
    let left = all(local.run_until(async {
        let id = Rc::new(Cell::new(1));
        let scope = audit_core::Scope::current().expect("a scope");
        let spawned = tokio::task::spawn_local(scope.in_scope(not_send(Rc::clone(&id))));
        assert_eq!(spawned.await.ok(), Some(Ok(2)));
        assert_eq!(not_send_and_returned(id).await, Ok(2));
    }));
    assert_eq!(
        left.await,
        [
            "document.delete document:1 succeeded",
            "document.delete document:2 succeeded"
        ]
    );
}

#[tokio::test]
async fn trap_18_a_tail_that_is_no_block_is_tracked() {
    let left = all(async {
        assert!(store().not_a_block(1).await.is_ok());
        assert!(store().not_a_block(0).await.is_err());
    });
    assert_eq!(
        left.await,
        [
            "document.delete document:s succeeded",
            "document.delete document:1 succeeded",
            "document.delete document:s failed",
            "document.delete document:0 failed"
        ]
    );
}

#[tokio::test]
async fn trap_18_a_returned_future_can_be_dropped_at_any_time() {
    let left = all(async {
        let waiting = tokio::time::timeout(Duration::ZERO, store_forever(1));
        assert!(waiting.await.is_err());
    });
    assert_eq!(left.await, ["document.delete document:1 abandoned"]);
}

#[audited(action = "document.delete", target = "id")]
fn store_forever(id: u64) -> BoxFuture<'static, u64> {
    let forever = std::future::pending::<()>();
    async move {
        forever.await;
        id
    }
    .boxed()
}

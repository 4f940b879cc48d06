//! Lifetimes of calls: panics, dropped futures, order of drops and evaluation, size.

use std::cell::RefCell;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};

use audit_core::{Actor, AuditOutcome, Outcome, Recorder};
use audit_derive::audited;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::support::{NONE, all, is_send, leave, one};

#[audited(action = "document.delete", target = "id")]
fn panics(id: u64) -> u64 {
    std::panic::panic_any(id)
}

#[audited(action = "document.delete", target = "id")]
async fn panics_later(id: u64) -> u64 {
    tokio::task::yield_now().await;
    std::panic::panic_any(id)
}

#[audited(action = "document.delete", target = "id")]
fn future_that_panics(id: u64) -> BoxFuture<'static, u64> {
    Box::pin(async move { std::panic::panic_any(id) })
}

#[tokio::test]
async fn row_56_a_panic_is_recorded_and_continues_unchanged() {
    let left = all(async {
        let caught = [
            catch_unwind(|| panics(1)),
            AssertUnwindSafe(panics_later(2)).catch_unwind().await,
            AssertUnwindSafe(future_that_panics(3)).catch_unwind().await,
        ];
        for (payload, id) in caught.into_iter().zip(1_u64..) {
            let payload = payload.expect_err("a panic");
            assert_eq!(payload.downcast_ref(), Some(&id));
        }
    });
    assert_eq!(
        left.await,
        [1, 2, 3].map(|id| format!("document.delete document:{id} panicked"))
    );
}

#[audited(action = "document.delete", target = "id")]
async fn waits(id: u64) {
    std::future::pending::<()>().await;
    drop(id);
}

#[tokio::test]
async fn row_57_a_dropped_future_is_abandoned_and_an_unpolled_one_leaves_no_event() {
    assert_eq!(all(async { drop(waits(1)) }).await, NONE);
    let dropped = async {
        let mut future = Box::pin(waits(2));
        assert!(futures_util::poll!(&mut future).is_pending());
    };
    assert_eq!(one(dropped).await, "document.delete document:2 abandoned");
}

async fn huge_and_plain(id: u64, bytes: [u8; 1024]) -> usize {
    std::future::ready(()).await;
    bytes.len() + usize::from(id == 0)
}

#[audited(action = "document.delete", target = "id")]
async fn huge(id: u64, bytes: [u8; 1024]) -> usize {
    std::future::ready(()).await;
    bytes.len() + usize::from(id == 0)
}

#[audited(action = "document.delete", target = "id")]
async fn huge_and_mutable(id: u64, mut bytes: [u8; 1024]) -> usize {
    bytes[0] = 1;
    std::future::ready(()).await;
    bytes.len() + usize::from(id == 0)
}

#[audited(action = "document.delete", target = "id")]
async fn huge_and_unused(id: u64, _bytes: [u8; 1024]) -> usize {
    std::future::ready(()).await;
    usize::from(id == 0)
}

#[tracing::instrument(fields(id = id), skip_all)]
async fn huge_and_instrumented(id: u64, bytes: [u8; 1024]) -> usize {
    std::future::ready(()).await;
    bytes.len() + usize::from(id == 0)
}

fn huge_and_returned_plain(id: u64, bytes: [u8; 1024]) -> impl Future<Output = usize> {
    async move {
        std::future::ready(()).await;
        bytes.len() + usize::from(id == 0)
    }
}

#[audited(action = "document.delete", target = "id")]
fn huge_and_returned(id: u64, bytes: [u8; 1024]) -> impl Future<Output = usize> {
    async move {
        std::future::ready(()).await;
        bytes.len() + usize::from(id == 0)
    }
}

leave! {
    row_59_huge_argument: is_send(huge(1, [0; 1024])).await => "document.delete document:1 succeeded";
    row_59_huge_argument_that_is_unused: is_send(huge_and_unused(2, [0; 1024])).await => "document.delete document:2 succeeded";
}

#[test]
#[allow(clippy::print_stdout, reason = "the figures are what one runs it for")]
fn row_59_and_trap_04_a_future_grows_by_the_draft_only() {
    let bytes = [0; 1024];
    let plain = size_of_val(&huge_and_plain(1, bytes));
    let audited = size_of_val(&huge(1, bytes));
    let unused = size_of_val(&huge_and_unused(1, bytes));
    let mutable = size_of_val(&huge_and_mutable(1, bytes));
    let instrumented = size_of_val(&huge_and_instrumented(1, bytes));
    let returned_plain = size_of_val(&huge_and_returned_plain(1, bytes));
    let returned = size_of_val(&huge_and_returned(1, bytes));
    println!(
        "bytes of a future with an argument of 1,024: plain {plain}, audited {audited}, tracing {instrumented}"
    );
    println!("audited: argument unused {unused}, argument mut {mutable}");
    println!("impl Future: plain {returned_plain}, audited {returned}");
    assert!(audited <= plain + 256, "{plain} bytes became {audited}");
    assert!(unused <= plain + 256, "{plain} bytes became {unused}");
    assert!(
        mutable <= plain + 256 + 1024,
        "{plain} bytes became {mutable}"
    );
    assert!(
        returned <= returned_plain + 256,
        "{returned_plain} bytes became {returned}"
    );
}

thread_local! {
    static LOG: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) };
}

fn log(word: &'static str) {
    LOG.with_borrow_mut(|log| log.push(word));
}

fn logged() -> Vec<&'static str> {
    LOG.take()
}

/// A guard, such as a lock or a transaction, that logs its drop.
struct Guard;

impl Drop for Guard {
    fn drop(&mut self) {
        log("guard dropped");
    }
}

/// A value that logs when its event closes.
struct Closed;

impl AuditOutcome for Closed {
    fn audit_outcome(&self) -> Outcome {
        log("closed");
        Outcome::Succeeded
    }
}

#[audited(action = "document.delete", target(document = 1))]
fn locked(guard: Guard) -> Closed {
    let _guard = &guard;
    Closed
}

#[audited(action = "document.delete", target(document = 1))]
async fn locked_async(_guard: Guard) -> Closed {
    log("body");
    Closed
}

#[audited(action = "document.delete", target(document = 1))]
fn locked_and_unused(_guard: Guard) -> Closed {
    log("body");
    Closed
}

#[audited(action = "document.delete", target(document = 1))]
fn locked_and_mutable(mut guard: Guard) -> Closed {
    let Guard = &mut guard;
    Closed
}

#[audited(action = "document.delete", target(document = 1))]
fn locked_and_returned(_guard: Guard) -> impl Future<Output = Closed> {
    log("body");
    async { Closed }
}

#[audited(action = "document.delete", target(document = 1))]
fn locked_by_the_future(guard: Guard) -> BoxFuture<'static, Closed> {
    Box::pin(async move {
        let _guard = &guard;
        Closed
    })
}

impl Guard {
    #[audited(action = "document.delete", target(document = 1))]
    async fn end(self) -> Closed {
        log("body");
        Closed
    }

    #[audited(action = "document.delete", target(document = 1))]
    fn end_box(self: Box<Self>) -> Closed {
        Closed
    }
}

#[tokio::test]
async fn trap_05_arguments_end_before_the_event_closes() {
    let left = all(async {
        drop(locked(Guard));
        assert_eq!(logged(), ["guard dropped", "closed"]);
        drop(locked_async(Guard).await);
        assert_eq!(logged(), ["body", "guard dropped", "closed"]);
        drop(locked_and_unused(Guard));
        assert_eq!(logged(), ["body", "guard dropped", "closed"]);
        drop(locked_and_mutable(Guard));
        assert_eq!(logged(), ["guard dropped", "closed"]);
        drop(locked_and_returned(Guard).await);
        assert_eq!(logged(), ["body", "guard dropped", "closed"]);
        drop(locked_by_the_future(Guard).await);
        assert_eq!(logged(), ["guard dropped", "closed"]);
        drop(Guard.end().await);
        assert_eq!(logged(), ["body", "guard dropped", "closed"]);
        drop(Box::new(Guard).end_box());
        assert_eq!(logged(), ["guard dropped", "closed"]);
    });
    assert_eq!(left.await, ["document.delete document:1 succeeded"; 8]);
}

fn first() -> u64 {
    log("first");
    1
}

fn second() -> u64 {
    log("second");
    2
}

#[audited(action = "document.delete", target(document = first()), target(document = second()))]
async fn ordered() {
    log("body");
}

#[audited(action = "document.delete", target(document = first()), target(document = second()))]
fn ordered_and_returned() -> impl Future<Output = ()> {
    log("body");
    async { log("polled") }
}

#[tokio::test]
async fn trap_06_values_are_captured_once_in_order_and_before_the_body() {
    let left = all(async {
        ordered().await;
        assert_eq!(logged(), ["first", "second", "body"]);
        ordered_and_returned().await;
        assert_eq!(logged(), ["first", "second", "body", "polled"]);
    });
    assert_eq!(
        left.await,
        ["document.delete document:1,document:2 succeeded"; 2]
    );
    // Without a recorder nothing is captured, except for a returned future, whose first poll may
    // have one.
    ordered().await;
    assert_eq!(logged(), ["body"]);
    ordered_and_returned().await;
    assert_eq!(logged(), ["first", "second", "body", "polled"]);
}

#[audited(action = "document.delete", target = "id")]
async fn in_turns(id: u64) -> Result<u64, u64> {
    for _ in 0..4 {
        tokio::task::yield_now().await;
    }
    Ok(id)
}

#[tokio::test]
async fn trap_02_interleaved_tasks_keep_their_scopes() {
    let (one, other) = tokio::join!(
        all(async { drop(tokio::join!(in_turns(1), in_turns(2))) }),
        all(async { drop(in_turns(3).await) }),
    );
    assert_eq!(one.len(), 2, "{one:?}");
    assert_eq!(other, ["document.delete document:3 succeeded"]);
}

#[audited(action = "document.delete", target = "id")]
fn leaves_a_loop(id: u64) -> Result<u64, String> {
    let found = 'search: {
        for candidate in 0..id {
            if candidate == 5 {
                return Err("five".to_owned());
            }
            if candidate == 3 && id < 5 {
                break 'search candidate;
            }
        }
        id
    };
    Ok(found)
}

leave! {
    trap_07_break_with_a_label: leaves_a_loop(4) => "document.delete document:4 succeeded";
    trap_07_return_from_a_loop: leaves_a_loop(6) => "document.delete document:6 failed";
}

#[audited(action = "document.delete", target = "id")]
fn two_borrows<'a>(
    id: u64,
    one: &'a mut Vec<u64>,
    other: &'a mut Vec<u64>,
) -> (&'a mut u64, &'a mut Vec<u64>) {
    one.push(id);
    (&mut one[0], other)
}

leave! {
    trap_01_body_that_only_a_closure_called_once_can_be: two_borrows(1, &mut vec![], &mut vec![])
        => "document.delete document:1 succeeded";
}

#[tokio::test]
async fn a_returned_future_prefers_the_scope_of_its_first_poll() {
    #[audited(action = "document.delete", target = "id")]
    fn returned(id: u64) -> BoxFuture<'static, Result<(), ()>> {
        Box::pin(async move {
            drop(id);
            Ok(())
        })
    }
    let sink = audit_core::MemorySink::new();
    let recorder = Recorder::builder(sink.clone())
        .fallback_organization("org_2")
        .build()
        .expect("a recorder");
    let left = all(async {
        let inner = recorder.scope().actor(Actor::user("user_2"));
        assert_eq!(inner.run(returned(1)).await, Ok(()));
        let here = returned(2);
        assert_eq!(here.await, Ok(()));
    });
    assert_eq!(left.await, ["document.delete document:2 succeeded"]);
    let _report = recorder.shutdown(std::time::Duration::from_secs(5)).await;
    assert_eq!(sink.events().len(), 1);
}

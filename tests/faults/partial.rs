//! Partial failures through the client: responses of every kind to some events, or to all.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use audit_tower::testing::assert_balanced;
use audit_tower::workos::{ApiKey, WorkOs};
use audit_tower::{Event, Recorder, Spool};
use bytes::Bytes;
use http::{Request, Response};
use proptest::prelude::*;
use tokio::time::Instant;

use crate::support::{HOUR, MINUTE, SECOND, start};

/// The responses that are not an acceptance: the status, a `Retry-After`, the body.
const RESPONSES: &[(u16, &str, &str)] = &[
    (200, "", "<html>Sign in</html>"),
    (200, "", ""),
    (204, "", ""),
    (200, "", r#"{"ok":true}"#),
    (301, "", ""),
    (302, "", ""),
    (307, "", ""),
    (400, "", "<html>Request blocked</html>"),
    (400, "", r#"{"error":"blocked","error_description":"x"}"#),
    (400, "", r#"{"message":"no such action"}"#),
    (401, "", r#"{"message":"Unauthorized"}"#),
    (403, "", "<html>Forbidden</html>"),
    (404, "", ""),
    (405, "", ""),
    (409, "", r#"{"message":"Conflict"}"#),
    (413, "", "too large"),
    (429, "", ""),
    (429, "0", ""),
    (429, "2", ""),
    (451, "", ""),
    (500, "", "<html>"),
    (503, "3", ""),
];

/// The events that get the response.
#[derive(Clone, Copy, Debug)]
enum Scope {
    /// This many events, alike in nothing.
    Events(usize),
    Action,
    Organization,
    Everything,
}

#[derive(Default)]
struct Service {
    bad: HashSet<String>,
    is_bad: bool,
    accepted: HashMap<String, Instant>,
    requests: Vec<Instant>,
}

fn scopes() -> impl Strategy<Value = Scope> {
    prop_oneof![
        (1_usize..40).prop_map(Scope::Events),
        Just(Scope::Action),
        Just(Scope::Organization),
        Just(Scope::Everything),
    ]
}

/// An event that fails if `is_bad`, in the scope; otherwise one that passes.
fn event(scope: Scope, is_bad: bool, number: usize) -> Event {
    let (action, organization) = match scope {
        Scope::Action if is_bad => ("document.delete", number % 5),
        Scope::Organization if is_bad => ("document.read", 9),
        Scope::Action => ("document.read", number % 5),
        _ => (["document.read", "document.share"][number % 2], number % 5),
    };
    let event = Event::builder(action).organization(format!("org_{organization}"));
    event.build().unwrap()
}

async fn run(response: usize, scope: Scope, has_spool: bool) {
    let (status, retry_after, body) = RESPONSES[response];
    let case = format!("{status} {retry_after:?} {body:?} for {scope:?}, spool: {has_spool}");
    let service = Arc::new(Mutex::new(Service {
        is_bad: true,
        ..Service::default()
    }));
    let shared = Arc::clone(&service);
    let transport = tower::service_fn(move |request: Request<Bytes>| {
        let key = request.headers()["idempotency-key"].to_str().unwrap();
        let mut service = shared.lock().unwrap();
        service.requests.push(Instant::now());
        let is_in_scope = matches!(scope, Scope::Everything) || service.bad.contains(key);
        let mut answer = Response::builder();
        let answer = if service.is_bad && is_in_scope {
            answer = answer.status(status);
            if !retry_after.is_empty() {
                answer = answer.header("retry-after", retry_after);
            }
            answer.body(Bytes::from_static(body.as_bytes()))
        } else {
            service.accepted.insert(key.to_owned(), Instant::now());
            answer.body(Bytes::from_static(br#"{"success":true}"#))
        };
        async move {
            tokio::time::sleep(Duration::from_millis(20)).await;
            Ok::<_, std::convert::Infallible>(answer.unwrap())
        }
    });
    let client = WorkOs::builder(ApiKey::new("sk_test").unwrap()).transport(transport);
    let mut builder = Recorder::builder(client.build().unwrap());
    let folder = tempfile::tempdir().unwrap();
    if has_spool {
        builder = builder.spool(Spool::open(folder.path().join("audit.spool")).unwrap());
    }
    let recorder = start(builder);
    let count = match scope {
        Scope::Events(count) => count,
        _ => 60,
    };
    let mut bad = Vec::new();
    let mut good = Vec::new();
    for number in 0..count.max(60) {
        if number < count {
            let event = event(scope, true, number);
            service.lock().unwrap().bad.insert(event.id().to_string());
            bad.push(event.id().to_string());
            if has_spool && number % 2 == 0 {
                recorder.record_durable(event).await.unwrap();
            } else {
                recorder.record(event).unwrap();
            }
        }
        let event = event(scope, false, number);
        good.push((event.id().to_string(), Instant::now()));
        if has_spool && number % 3 == 0 {
            recorder.record_durable(event).await.unwrap();
        } else {
            recorder.record(event).unwrap();
        }
        tokio::time::sleep(SECOND / 4).await;
    }
    tokio::time::sleep(5 * MINUTE).await;
    let is_rejection = recorder.stats().dead > 0 && recorder.stats().delivered == 0;
    if !matches!(scope, Scope::Everything) {
        let begun = Instant::now();
        while has_spool
            && good
                .iter()
                .any(|(id, _)| !service.lock().unwrap().accepted.contains_key(id))
        {
            tokio::time::sleep(SECOND).await;
            assert!(begun.elapsed() < 6 * HOUR, "{case}: {:?}", recorder.stats());
        }
        let service = service.lock().unwrap();
        for (id, recorded) in &good {
            let wait = service
                .accepted
                .get(id)
                .map(|accepted| *accepted - *recorded);
            // The virtual clock runs on while the real disk works, so it measures memory alone.
            let is_soon = wait.is_some_and(|wait| has_spool || wait < MINUTE);
            assert!(is_soon, "{case}: {wait:?}");
        }
    }
    // The cause is removed: whatever was not rejected arrives.
    let requests_before = {
        let mut service = service.lock().unwrap();
        service.is_bad = false;
        service.requests.len()
    };
    let begun = Instant::now();
    while recorder.stats().pending + recorder.stats().spooled > 0 {
        recorder.flush(MINUTE).await;
        assert!(
            begun.elapsed() < 24 * HOUR,
            "{case}: stuck, {:?}",
            recorder.stats()
        );
    }
    let stats = recorder.stats();
    assert_eq!((stats.refused, stats.lost), (0, 0), "{case}");
    if matches!(scope, Scope::Everything) && !is_rejection {
        assert_eq!(stats.dead, 0, "{case}");
    }
    assert!(stats.dead as usize <= bad.len() + if is_rejection { good.len() } else { 0 });
    assert_eq!(
        stats.delivered + stats.dead,
        (bad.len() + good.len()) as u64
    );
    let requests = &service.lock().unwrap().requests;
    // The rate limit of the client permits 90 a second and as many at once.
    let most = |requests: &[Instant], window: Duration, most: usize| {
        let in_window = requests.windows(most + 1).find(|w| w[most] - w[0] < window);
        assert!(in_window.is_none(), "{case}: {window:?}");
    };
    most(requests, SECOND, 200);
    if matches!(scope, Scope::Everything) && status == 429 {
        // What was in flight at the first answer may follow it; then one request probes.
        most(&requests[..requests_before], MINUTE, 90);
    }
    assert_balanced(&recorder);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn fault_41_failures_of_some_events_stop_no_other_and_lose_nothing(
        response in 0..RESPONSES.len(), scope in scopes(), has_spool in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(run(response, scope, has_spool));
    }
}

#[test]
fn fault_41_every_response_to_one_event_stops_no_other() {
    for response in 0..RESPONSES.len() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(run(response, Scope::Events(1), false));
    }
}

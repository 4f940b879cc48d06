//! Which routes are covered: seen by one capture, and by the processes of a run.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;

use audit_tests_kit::ROUTES;
use audit_tower::testing::{self, Coverage};
use audit_tower::{assert_covered, catalog};

use crate::support::call;

/// What `assert_covered!` says when it fails.
fn failure(coverage: &Coverage) -> Option<String> {
    let failed = catch_unwind(AssertUnwindSafe(|| assert_covered!(coverage)));
    failed.err().map(|message| *message.downcast().unwrap())
}

#[tokio::test]
async fn a_route_that_leaves_no_event_fails_and_is_named() {
    let capture = testing::capture();
    let calls = [
        ("DELETE", "/documents/42"),
        ("POST", "/documents/42/archive"),
        ("POST", "/search"),
    ];
    assert_eq!(call(&capture, &calls).await, [204, 204, 200]);
    assert_eq!(
        failure(&capture.coverage(ROUTES).catalog(catalog!())).unwrap(),
        "routes without proof of an audit event: POST /documents/{doc_id}/archive
audit coverage: 3 of 4 routes
  audited          DELETE /documents/{doc_id}
  changes nothing  GET /documents
  NOT AUDITED      POST /documents/{doc_id}/archive
  exempt           POST /search: a search changes nothing
actions without a recorded event: document.create, document.share, document.share_denied, session.create
add `#[audited(..)]` to the function the route calls, or `#[unaudited(reason = \"..\")]` to its handler; test the route; and keep it in the list"
    );
}

#[tokio::test]
async fn a_route_that_no_request_came_to_fails_and_is_named() {
    let capture = testing::capture();
    call(
        &capture,
        &[("DELETE", "/documents/42"), ("POST", "/nowhere")],
    )
    .await;
    let message = failure(&capture.coverage(ROUTES)).unwrap();
    let named =
        "routes without proof of an audit event: POST /documents/{doc_id}/archive, POST /search\n";
    assert!(message.starts_with(named), "{message}");
    assert!(
        message.contains("never exercised  POST /search"),
        "{message}"
    );
}

#[tokio::test]
async fn routes_that_leave_an_event_or_say_why_not_are_covered() {
    let capture = testing::capture();
    call(
        &capture,
        &[("DELETE", "/documents/42"), ("POST", "/search")],
    )
    .await;
    assert_covered!(capture.coverage(&[("DELETE", "/documents/{doc_id}"), ("POST", "/search")]));
}

/// What a process does in a run of several: this test again, with its part.
const PART: &str = "AUDIT_TESTS_KIT_PART";

#[test]
fn a_run_of_many_processes_is_read_together() {
    match std::env::var_os(PART)
        .as_ref()
        .and_then(|part| part.to_str())
    {
        None => many_processes(),
        Some("report") => assert_covered!(testing::coverage(&[
            ("DELETE", "/documents/{doc_id}"),
            ("POST", "/search")
        ])),
        Some(path) => {
            let capture = testing::capture();
            let method = if path == "/search" { "POST" } else { "DELETE" };
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            runtime.unwrap().block_on(call(&capture, &[(method, path)]));
        }
    }
}

fn many_processes() {
    let this = std::env::current_exe().unwrap();
    let target = this
        .ancestors()
        .find(|folder| folder.join("CACHEDIR.TAG").is_file());
    let run = format!("kit-{}", std::process::id());
    let files = target.unwrap().join("audit-coverage").join(&run);
    // A run of this name may be left from a time when the process's number was the same.
    drop(std::fs::remove_dir_all(&files));
    let process = |part: &str| {
        let mut process = Command::new(&this);
        process.args([
            "--exact",
            "coverage::a_run_of_many_processes_is_read_together",
        ]);
        let output = process
            .env(PART, part)
            .env("AUDIT_COVERAGE_RUN", &run)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        (output.status.success(), said)
    };

    let (succeeded, said) = process("report");
    assert!(
        !succeeded && said.contains("no test of the run noted anything"),
        "{said}"
    );
    assert!(process("/documents/42").0);
    let (succeeded, said) = process("report");
    assert!(
        !succeeded && said.contains("never exercised  POST /search"),
        "{said}"
    );
    assert!(process("/search").0);
    let (succeeded, said) = process("report");
    assert!(succeeded, "{said}");
    std::fs::remove_dir_all(files).unwrap();
}

#[test]
fn without_a_run_there_is_nothing_to_read_together() {
    let error = testing::coverage(ROUTES).report().unwrap_err();
    assert!(error.is_without_run());
    assert!(
        error
            .to_string()
            .starts_with("AUDIT_COVERAGE_RUN is not set"),
        "{error}"
    );
}

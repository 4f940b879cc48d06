//! Coverage of routes: of one capture, and of the processes of a run.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;

use audit_tests_kit::ROUTES;
use audit_tower::testing::{self, Coverage};
use audit_tower::{assert_covered, catalog};

use crate::support::call;

/// Returns the message of a failing `assert_covered!`.
fn failure(coverage: &Coverage) -> Option<String> {
    let failed = catch_unwind(AssertUnwindSafe(|| assert_covered!(coverage)));
    failed.err().map(|message| *message.downcast().unwrap())
}

#[tokio::test]
async fn route_without_an_event_fails_by_name() {
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
async fn unexercised_route_fails_by_name() {
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
async fn audited_and_exempt_routes_are_covered() {
    let capture = testing::capture();
    call(
        &capture,
        &[("DELETE", "/documents/42"), ("POST", "/search")],
    )
    .await;
    assert_covered!(capture.coverage(&[("DELETE", "/documents/{doc_id}"), ("POST", "/search")]));
}

/// The variable with the part of a child process, which runs this test again.
const PART: &str = "AUDIT_TESTS_KIT_PART";

#[test]
fn facts_of_several_processes_are_merged() {
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
    // An earlier run with the same process id may have left its folder.
    drop(std::fs::remove_dir_all(&files));
    let process = |part: &str| {
        let mut process = Command::new(&this);
        process.args(["--exact", "coverage::facts_of_several_processes_are_merged"]);
        let output = process
            .env(PART, part)
            .env("AUDIT_COVERAGE_RUN", &run)
            .output()
            .unwrap();
        let output_text = String::from_utf8_lossy(&output.stdout).into_owned();
        (output.status.success(), output_text)
    };

    let (succeeded, output_text) = process("report");
    assert!(
        !succeeded && output_text.contains("no test of the run recorded a fact"),
        "{output_text}"
    );
    assert!(process("/documents/42").0);
    let (succeeded, output_text) = process("report");
    assert!(
        !succeeded && output_text.contains("never exercised  POST /search"),
        "{output_text}"
    );
    assert!(process("/search").0);
    let (succeeded, output_text) = process("report");
    assert!(succeeded, "{output_text}");
    std::fs::remove_dir_all(files).unwrap();
}

#[test]
fn coverage_without_a_run_is_an_error() {
    let error = testing::coverage(ROUTES).report().unwrap_err();
    assert!(error.is_without_run());
    assert!(
        error
            .to_string()
            .starts_with("AUDIT_COVERAGE_RUN is not set"),
        "{error}"
    );
}

//! The viewer page: its files, its policy, and the list it reads.

use serde_json::json;

use crate::support::{Bench, event};

#[test]
fn page_has_a_strict_policy_and_only_its_own_files() {
    let bench = Bench::new();
    let page = bench.client.get(bench.url("/")).send().unwrap();
    assert_eq!(page.status(), 200);
    assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
    assert!(page.headers().contains_key("x-request-id"));
    let policy = page.headers()["content-security-policy"].to_str().unwrap();
    assert!(
        policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"),
        "{policy}"
    );
    assert!(!policy.contains("unsafe"), "{policy}");
    let html = page.text().unwrap();
    assert!(
        html.contains(r#"data-api="/_local" data-organization="""#),
        "{html}"
    );
    for (path, content_type) in [
        ("/assets/viewer.js", "text/javascript; charset=utf-8"),
        ("/assets/viewer.css", "text/css; charset=utf-8"),
    ] {
        assert!(html.contains(&format!("\"{path}\"")), "{path}");
        let file = bench.client.get(bench.url(path)).send().unwrap();
        assert_eq!(file.status(), 200);
        assert_eq!(file.headers()["content-type"], content_type);
        assert_eq!(file.headers()["x-content-type-options"], "nosniff");
    }
}

#[test]
fn descending_order_lists_the_newest_events_first() {
    let bench = Bench::with_schema();
    for _ in 0..3 {
        bench.send(&event());
    }
    let page = |query: &str| {
        let list = bench
            .get(&format!("/_local/events?order=desc&limit=2{query}"))
            .body;
        let rows = list["data"].as_array().unwrap();
        let seqs: Vec<_> = rows
            .iter()
            .map(|row| row["seq"].as_u64().unwrap())
            .collect();
        (seqs, list["list_metadata"].clone())
    };
    assert_eq!(
        page(""),
        (vec![3, 2], json!({ "before": "2", "after": null }))
    );
    assert_eq!(
        page("&before=2"),
        (vec![1], json!({ "before": null, "after": null }))
    );
    assert_eq!(bench.get("/_local/events?order=normal").status, 422);
}

#[test]
fn page_of_large_events_is_cut_and_has_a_cursor() {
    let bench = Bench::with_schema();
    let mut large = event();
    large["event"]["undocumented"] = json!("x".repeat(900_000));
    for _ in 0..6 {
        assert_eq!(bench.send(&large).status, 200);
    }
    let list = bench.get("/_local/events").body;
    assert_eq!(list["data"].as_array().unwrap().len(), 5);
    assert_eq!(list["list_metadata"]["after"], "5");
}

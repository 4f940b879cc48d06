//! Schemas and actions over real sockets.

use serde_json::{Value, json};

use crate::support::{Bench, changed};

fn target(kind: &str) -> Value {
    json!({ "targets": [{ "type": kind }] })
}

#[test]
fn versions_count_up_and_are_returned_as_they_were_sent() {
    let bench = Bench::new();
    let full = json!({
        "targets": [{ "type": "invoice", "metadata": { "type": "object", "properties": { "cost": { "type": "number" } } } }],
        "actor": { "metadata": { "type": "object", "properties": { "role": { "type": "string" } } } },
        "metadata": { "type": "object", "properties": { "transactionId": { "type": "string" } } }
    });
    let first = bench.register("invoice.paid", &full);
    assert_eq!(
        (&first["object"], &first["version"]),
        (&json!("audit_log_schema"), &json!(1))
    );
    for part in ["targets", "actor", "metadata"] {
        assert_eq!(first[part], full[part]);
    }
    assert!(first["created_at"].as_str().unwrap().ends_with('Z'));
    assert!(first.get("id").is_none());

    let second = bench.register("invoice.paid", &target("invoice"));
    assert_eq!(second["version"], 2);
    assert!(
        second.get("actor").is_none() && second.get("metadata").is_none(),
        "absent parts stay absent: {second}"
    );

    let list = bench.get("/audit_logs/actions/invoice.paid/schemas").body;
    assert_eq!(
        list,
        json!({ "object": "list", "data": [second, first], "list_metadata": { "before": null, "after": null } })
    );
}

#[test]
fn action_name_in_the_path_is_percent_decoded() {
    let bench = Bench::new();
    bench.register("team%2Fup%20dated%C3%A9", &target("team"));
    let actions = bench.get("/audit_logs/actions").body;
    assert_eq!(actions["data"][0]["name"], "team/up datedé");
    assert_eq!(
        bench
            .send(&changed(|event| event["action"] = json!("team/up datedé")))
            .status,
        200
    );
}

#[test]
fn invalid_schema_is_unprocessable() {
    let bench = Bench::new();
    let cases = [
        json!({}),
        json!({ "targets": [] }),
        json!({ "targets": [{}] }),
        json!({ "targets": [{ "type": "a" }], "actor": {} }),
        json!({ "targets": [{ "type": "a", "metadata": { "type": "text" } }] }),
        json!([]),
    ];
    for schema in &cases {
        let reply = bench.post("/audit_logs/actions/a/schemas", schema);
        assert_eq!(reply.status, 422, "{schema}");
        assert!(
            reply.body["message"]
                .as_str()
                .unwrap()
                .starts_with("Invalid schema: "),
            "{}",
            reply.body
        );
    }
    assert_eq!(
        bench.get("/audit_logs/actions").body["data"],
        json!([]),
        "nothing was stored"
    );
}

#[test]
fn unknown_action_is_not_found() {
    let reply = Bench::new().get("/audit_logs/actions/unknown/schemas");
    assert_eq!(
        (reply.status, reply.body),
        (
            404,
            json!({ "message": "Audit Log Action not found: 'unknown'." })
        )
    );
}

#[test]
fn action_shows_its_newest_schema() {
    let bench = Bench::new();
    bench.register("a", &target("old"));
    let newest = bench.register("a", &target("new"));
    let action = bench.get("/audit_logs/actions").body["data"][0].clone();
    assert_eq!(
        (&action["object"], &action["name"], &action["schema"]),
        (&json!("audit_log_action"), &json!("a"), &newest)
    );
    assert!(action["created_at"].is_string() && action["updated_at"].is_string());
}

/// Follows one cursor of `list_metadata` from page to page, and returns `item` of each entry.
fn walk(
    bench: &Bench,
    path: &str,
    query: &str,
    cursor: &str,
    item: fn(&Value) -> String,
) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut next = String::new();
    loop {
        let body = bench.get(&format!("{path}?{query}{next}")).body;
        pages.push(body["data"].as_array().unwrap().iter().map(item).collect());
        let metadata = body["list_metadata"].as_object().unwrap();
        assert_eq!(
            metadata.keys().collect::<Vec<_>>(),
            ["after", "before"],
            "both keys are always present"
        );
        match &metadata[cursor] {
            Value::Null => return pages,
            cursor_value => next = format!("&{cursor}={}", cursor_value.as_str().unwrap()),
        }
        assert!(pages.len() < 20, "the walk does not end");
    }
}

#[test]
fn walk_over_pages_returns_every_action_once() {
    let bench = Bench::new();
    for name in ["a", "b", "c", "d", "e"] {
        bench.register(name, &target("t"));
    }
    let name: fn(&Value) -> String = |action| action["name"].as_str().unwrap().to_owned();
    let walk = |query: &str, cursor: &str| walk(&bench, "/audit_logs/actions", query, cursor, name);
    assert_eq!(
        walk("limit=2", "after"),
        [vec!["e", "d"], vec!["c", "b"], vec!["a"]]
    );
    assert_eq!(
        walk("limit=2&order=desc", "after"),
        [vec!["e", "d"], vec!["c", "b"], vec!["a"]]
    );
    assert_eq!(
        walk("limit=2&order=asc", "after"),
        [vec!["a", "b"], vec!["c", "d"], vec!["e"]]
    );
    assert_eq!(
        walk("limit=2&order=normal", "before"),
        [vec!["e", "d"], vec!["c", "b"], vec!["a"]]
    );
    assert_eq!(walk("limit=5", "after"), [["e", "d", "c", "b", "a"]]);
}

#[test]
fn schemas_page_both_ways_and_default_to_ten() {
    let bench = Bench::new();
    for _ in 0..12 {
        bench.register("a", &target("t"));
    }
    let path = "/audit_logs/actions/a/schemas";
    let version: fn(&Value) -> String = |schema| schema["version"].to_string();
    let pages = walk(&bench, path, "", "after", version);
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [10, 2]);
    let last =
        bench.get(&format!("{path}?limit=2&order=asc")).body["list_metadata"]["after"].clone();
    let last = last.as_str().unwrap();
    assert!(last.starts_with("als_"), "{last}");
    let before = bench
        .get(&format!("{path}?limit=10&order=asc&before={last}"))
        .body;
    assert_eq!(
        before["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(version)
            .collect::<Vec<_>>(),
        ["1"]
    );
}

#[test]
fn invalid_paging_parameters_are_unprocessable() {
    let bench = Bench::new();
    bench.register("a", &target("t"));
    for query in [
        "limit=0",
        "limit=101",
        "limit=x",
        "order=up",
        "after=ala_1",
        "after=als_00000000000000000000000001",
        "after=x&before=y",
    ] {
        let reply = bench.get(&format!("/audit_logs/actions?{query}"));
        assert_eq!(reply.status, 422, "{query}");
        assert!(reply.body["message"].is_string());
    }
    assert_eq!(bench.get("/audit_logs/actions?limit=100").status, 200);
}

//! Tests of all rules, through [`Catalog::parse`].

use proptest::prelude::*;

use crate::constant::constant_name;
use crate::model::{Catalog, Kind, MAX_METADATA_KEYS, RESERVED_METADATA};

fn mistakes(text: &str) -> Vec<String> {
    let error = Catalog::parse(text, "audit.toml").unwrap_err();
    error.mistakes().iter().map(ToString::to_string).collect()
}

fn with_keys(table: &str, keys: impl IntoIterator<Item = String>) -> String {
    let lines: String = keys
        .into_iter()
        .map(|key| format!("{key} = \"string\"\n"))
        .collect();
    format!("[action.a]\ntargets = [\"t\"]\n[{table}]\n{lines}")
}

#[test]
fn all_mistakes_are_reported_at_once_in_order() {
    let text = r#"[action."document.share"]
summary = "{actor} shared {targts} with {metadata.rol}"
targets = ["document", "document", "a b"]
denied  = "document.share_denid"
[action."document.share".metadata]
role = "string"
status = "number"
"a b" = "string"
[action."document.share_denied"]
[target.documnt.metadata]
title = "strng?"
"#;
    assert_eq!(
        mistakes(text),
        [
            "2:27: unknown placeholder `{targts}`; did you mean `{targets}`?",
            "2:41: the summary names metadata `rol`, which the action does not declare; did you mean `{metadata.role}`?",
            "3:24: target type `document` is listed twice",
            "3:36: a target type is made of the characters a-z A-Z 0-9 . _ - :, so \"a b\" cannot hold ' '",
            "4:11: `denied` names `document.share_denid`, which is not in the catalog; did you mean `document.share_denied`?",
            "7:1: metadata key `status` is reserved, the framework sets it; choose another name",
            "8:1: metadata key \"a b\"; a key is 1 to 40 of the characters a-z A-Z 0-9 _ -",
            "9:9: the action has no target type; name at least one, as in `targets = [\"document\"]`",
            "10:9: no action names the target type `documnt`; did you mean `document`?",
            "11:9: unknown metadata type \"strng?\"; one of \"string\", \"number\", \"boolean\"; did you mean \"string?\"?",
        ]
    );
}

#[test]
fn names_that_are_no_url_segment_are_rejected() {
    for bad in [
        "", "a b", "a/b", "..", ".", "a..b", ".a", "a-", "ä", "a\\nb", "a\\u0007",
    ] {
        let text = format!("[action.\"{bad}\"]\ntargets = [\"t\"]");
        assert!(Catalog::parse(&text, "").is_err(), "{bad}");
    }
    for good in ["a", "document.share", "User-Created_2", "vault:kv.read"] {
        let text = format!("[action.\"{good}\"]\ntargets = [\"t\"]");
        assert!(Catalog::parse(&text, "").is_ok(), "{good}");
    }
}

#[test]
fn two_actions_with_the_same_constant_are_rejected() {
    let text = "action.\"document.delete\".targets = [\"t\"]\naction.login.targets = [\"t\"]\naction.document_delete.targets = [\"t\"]\naction.documentDelete.targets = [\"t\"]";
    assert_eq!(
        mistakes(text),
        [
            "3:8: `document_delete` and `document.delete` would both be the constant `DOCUMENT_DELETE`; rename one of them",
            "4:8: `documentDelete` and `document.delete` would both be the constant `DOCUMENT_DELETE`; rename one of them",
        ]
    );
}

#[test]
fn reserved_keys_count_towards_the_limit_of_events_only() {
    let keys = |count| (0..count).map(|index| format!("k{index}"));
    let event = MAX_METADATA_KEYS - RESERVED_METADATA.len();
    assert!(Catalog::parse(&with_keys("action.a.metadata", keys(event)), "").is_ok());
    assert!(Catalog::parse(&with_keys("actor.metadata", keys(MAX_METADATA_KEYS)), "").is_ok());
    assert_eq!(
        mistakes(&with_keys("action.a.metadata", keys(event + 1))),
        ["44:1: 41 metadata keys; at most 40 are allowed, which is 50 less the 10 reserved ones"]
    );
    assert_eq!(
        mistakes(&with_keys("target.t.metadata", keys(MAX_METADATA_KEYS + 1))),
        ["54:1: 51 metadata keys; at most 50 are allowed"]
    );
}

#[test]
fn a_key_has_at_most_forty_characters() {
    assert!(Catalog::parse(&with_keys("action.a.metadata", ["k".repeat(40)]), "").is_ok());
    assert_eq!(
        mistakes(&with_keys("action.a.metadata", ["k".repeat(41)])),
        [format!(
            "4:1: metadata key `{}` has 41 characters; at most 40 are allowed",
            "k".repeat(41)
        )]
    );
}

#[test]
fn reserved_keys_are_allowed_on_actors_and_targets() {
    assert!(Catalog::parse(&with_keys("actor.metadata", ["status".to_owned()]), "").is_ok());
    for (key, _) in RESERVED_METADATA {
        assert_eq!(
            mistakes(&with_keys("action.a.metadata", [key.to_owned()])).len(),
            1,
            "{key}"
        );
    }
}

#[test]
fn a_denial_action_accepts_the_data_of_the_denied_action() {
    let text = r#"
[action.a]
targets = ["t", "u"]
denied = "b"
metadata.n = "number"
[action.b]
targets = ["t"]
denied = "b"
metadata.n = "string"
metadata.reason = "string"
metadata.note = "string?"
"#;
    assert_eq!(
        mistakes(text),
        [
            "4:10: `denied` names `b`, which does not allow the target type `u`; add it to the `targets` of `b`",
            "4:10: `denied` names `b`, which requires metadata `reason`; make it optional there, or require it of `a`",
            "4:10: `denied` names `b`, in which metadata `n` is a string, not a number; give both the same type",
            "8:10: `denied` names the action itself; leave it out to record denials under the same action",
        ]
    );
}

#[test]
fn braces_in_a_summary_are_doubled() {
    let text = |summary| format!("[action.a]\ntargets = [\"t\"]\nsummary = {summary}");
    assert!(Catalog::parse(&text("'{{{actor}}} and {organization}'"), "").is_ok());
    assert_eq!(
        mistakes(&text("'{actor'")),
        ["3:11: the summary has a single `{`; write `{{` for the character itself"]
    );
    assert_eq!(mistakes(&text("'a } b'")).len(), 1);
    assert_eq!(
        mistakes(&text("\"\\u007Bxyz}\"")),
        [
            "3:11: unknown placeholder `{xyz}`; one of `{actor}`, `{action}`, `{target}`, `{targets}`, `{organization}`, `{metadata.KEY}`"
        ]
    );
}

proptest! {
    #[test]
    fn declared_actions_and_fields_are_found(
        actions in prop::collection::btree_map("[a-z][a-z0-9_.-]{0,8}[a-z0-9]", prop::collection::btree_map("[a-zA-Z0-9_-]{1,40}", (0..3usize, any::<bool>()), 0..6), 1..6),
    ) {
        prop_assume!(actions.keys().all(|name| !name.contains("..")));
        let constants: std::collections::BTreeSet<_> = actions.keys().map(|name| constant_name(name)).collect();
        prop_assume!(constants.len() == actions.len());
        let mut text = String::new();
        for (name, fields) in &actions {
            text += &format!("[action.\"{name}\"]\ntargets = [\"t\"]\n[action.\"{name}\".metadata]\n");
            for (key, (kind, optional)) in fields {
                text += &format!("x{} = \"{}{}\"\n", &key[1..], Kind::ALL[*kind], if *optional { "?" } else { "" });
            }
        }
        // The keys got a letter in front that no reserved one has; two may now be the same.
        let Ok(catalog) = Catalog::parse(&text, "audit.toml") else {
            prop_assert!(mistakes(&text).iter().all(|mistake| mistake.contains("duplicate key")), "{:?}", mistakes(&text));
            return Ok(());
        };
        prop_assert_eq!(catalog.actions().map(|action| action.name()).collect::<Vec<_>>(), actions.keys().collect::<Vec<_>>());
        for (name, fields) in &actions {
            let action = catalog.action(name).unwrap();
            for (key, (kind, optional)) in fields {
                let field = action.field(&format!("x{}", &key[1..])).unwrap();
                prop_assert_eq!((field.kind(), field.is_optional()), (Kind::ALL[*kind], *optional));
            }
        }
    }
}

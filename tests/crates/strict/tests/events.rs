//! The recorded events of this crate.

use audit_tests_strict::Store;

#[test]
fn row_53_forbid_unsafe_code() {
    let events = audit_tests_support::events_of(async {
        let mut store = Store::new("acme");
        assert_eq!(store.create("four").await, Ok(4));
        assert!(store.create("").await.is_err());
        assert!(store.delete(0).is_err());
        drop(store.delete_later(1));
        assert_eq!(store.delete_later(8).await, Ok(8));
        assert_eq!(store.share(1, "ann").await, Some("ann"));
    });
    assert_eq!(
        events.unwrap(),
        [
            "document.create document:4 succeeded",
            "document.create document:unresolved failed",
            "document.delete document:0 failed",
            "document.delete document:acmefour succeeded",
            "document.share document:1,user:ann succeeded",
        ]
    );
}

#[test]
fn row_52_every_lint_denied() {
    let events = audit_tests_support::events_of(async {
        assert_eq!(Store::new("acme").delete(7), Ok("acme"));
    });
    assert_eq!(events.unwrap(), ["document.delete document:7 succeeded"]);
}

//! The recorded events of this crate.

use audit_tests_actix::Store;

#[test]
fn expansion_names_only_the_actix_facade() {
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

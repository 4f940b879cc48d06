//! Parses `audit.toml`.
#![no_main]

use audit_catalog::Catalog;

libfuzzer_sys::fuzz_target!(|text: &str| {
    match Catalog::parse(text, "audit.toml") {
        Ok(catalog) => {
            for action in catalog.actions() {
                assert_eq!(catalog.action(action.name()), Some(action));
                let schema = action.wire_schema();
                assert!(schema["targets"].is_array(), "{schema}");
                assert_eq!(
                    audit_catalog::Fingerprint::of_schema(&schema),
                    action.fingerprint()
                );
                assert_eq!(catalog.nearest_action(action.name()), Some(action.name()));
            }
        }
        Err(error) => {
            assert!(!error.mistakes().is_empty(), "rejected without a reason");
            assert!(error.to_string().contains("audit.toml"));
        }
    }
});

//! Parses `audit.lock`; a lock that was parsed is equal after it is written and parsed again.
#![no_main]

use audit_catalog::Lock;

libfuzzer_sys::fuzz_target!(|text: &str| {
    match Lock::parse(text, "audit.lock") {
        Ok(lock) => {
            let written = lock.to_string();
            let again = Lock::parse(&written, "audit.lock").expect("a written lock is parsed");
            assert_eq!(again, lock);
            assert_eq!(again.to_string(), written);
        }
        Err(error) => assert!(!error.mistakes().is_empty(), "rejected without a reason"),
    }
});

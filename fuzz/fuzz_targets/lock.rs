//! The text of `audit.lock`: what is read is read again from what is written.
#![no_main]

use audit_catalog::Lock;

libfuzzer_sys::fuzz_target!(|text: &str| {
    match Lock::parse(text, "audit.lock") {
        Ok(lock) => {
            let written = lock.to_string();
            let again = Lock::parse(&written, "audit.lock").expect("what was written is read");
            assert_eq!(again, lock);
            assert_eq!(again.to_string(), written);
        }
        Err(error) => assert!(!error.mistakes().is_empty(), "refused without a reason"),
    }
});

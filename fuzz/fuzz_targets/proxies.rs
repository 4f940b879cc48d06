//! Parses the headers in which proxies forward the client's address.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| audit_core::fuzzing::forwarded(bytes));

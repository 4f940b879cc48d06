//! The headers that proxies name the client's address in.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| audit_core::fuzzing::forwarded(bytes));

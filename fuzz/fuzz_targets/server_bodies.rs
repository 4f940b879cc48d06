//! The JSON of each route of the server that takes some.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| audit_server::fuzzing::bodies(bytes));

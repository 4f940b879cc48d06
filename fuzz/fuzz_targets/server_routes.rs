//! Sends requests to every route of the server.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| audit_server::fuzzing::routes(bytes));

//! Parses the JSON bodies of the server's routes.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| audit_server::fuzzing::bodies(bytes));

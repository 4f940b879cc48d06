//! Parses the cursors of lists.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| audit_server::fuzzing::cursor(bytes));

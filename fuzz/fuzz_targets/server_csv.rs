//! Writes the CSV of an export.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| audit_server::fuzzing::csv(bytes));

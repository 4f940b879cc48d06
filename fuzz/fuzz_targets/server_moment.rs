//! Parses date-times in UTC.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| audit_server::fuzzing::moment(bytes));

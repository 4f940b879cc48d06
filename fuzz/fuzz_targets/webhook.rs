//! The header `WorkOS-Signature`: the first line of the input; the rest is the body.
#![no_main]

use std::time::{Duration, UNIX_EPOCH};

use audit_core::workos::WebhookVerifier;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let end = bytes.iter().position(|byte| *byte == b'\n');
    let (header, body) = bytes.split_at(end.unwrap_or(bytes.len()));
    let Ok(header) = std::str::from_utf8(header) else {
        return;
    };
    let now = UNIX_EPOCH + Duration::from_millis(1_700_000_000_000);
    for tolerance in [Duration::ZERO, Duration::from_secs(180), Duration::MAX] {
        let verifier = WebhookVerifier::new("a secret nobody guesses").tolerance(tolerance);
        let refused = verifier
            .verify_at(header, body, now)
            .expect_err("nobody can sign without the secret");
        assert!(!refused.to_string().contains("nobody guesses"));
    }
});

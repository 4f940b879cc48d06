//! Verifies webhooks. The first line of the input is the header `WorkOS-Signature`, the rest the
//! body.
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
        let verifier = WebhookVerifier::new("an unguessable secret").tolerance(tolerance);
        let refused = verifier
            .verify_at(header, body, now)
            .expect_err("a signature needs the secret");
        assert!(!refused.to_string().contains("unguessable"));
    }
});

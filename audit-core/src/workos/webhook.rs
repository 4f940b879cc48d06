//! Verification of webhook signatures.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::event::{from_millis, now_millis};

/// The default tolerance between a signature's time and now, in either direction ([WorkOS:
/// webhooks](https://workos.com/docs/events/data-syncing/webhooks)).
const TOLERANCE: Duration = Duration::from_secs(180);

/// A verifier of the signatures of one webhook endpoint.
///
/// The header `WorkOS-Signature` is `t=<milliseconds since 1970>, v1=<hexadecimal>`, an
/// HMAC-SHA-256 over the time, a dot and the raw body. It is compared in constant time.
///
/// ```
/// use audit_core::workos::WebhookVerifier;
///
/// let verifier = WebhookVerifier::new("endpoint secret");
/// let body = br#"{"event":"..."}"#;                     // the bytes as they came, before any parsing
/// let old = format!("t=1700000000000, v1={}", "0".repeat(64));
/// assert!(verifier.verify(&old, body).unwrap_err().is_outside_tolerance());
/// ```
#[derive(Clone)]
#[must_use]
pub struct WebhookVerifier {
    secret: Zeroizing<Vec<u8>>,
    tolerance: Duration,
}

impl WebhookVerifier {
    /// Returns a verifier with the endpoint's secret.
    pub fn new(secret: impl Into<Vec<u8>>) -> Self {
        Self {
            secret: Zeroizing::new(secret.into()),
            tolerance: TOLERANCE,
        }
    }

    /// Sets the tolerance between a signature's time and now, in either direction; default 180
    /// seconds.
    pub fn tolerance(mut self, tolerance: Duration) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// Verifies the value of the header `WorkOS-Signature` for a raw body.
    ///
    /// # Errors
    ///
    /// The header is not a signature, its time is outside the tolerance, or it does not match the
    /// secret and body.
    pub fn verify(&self, header: &str, body: &[u8]) -> Result<(), WebhookError> {
        self.verify_at(header, body, from_millis(now_millis()))
    }

    /// Verifies as [`verify`](Self::verify), at a given time.
    ///
    /// # Errors
    ///
    /// As [`verify`](Self::verify).
    pub fn verify_at(
        &self,
        header: &str,
        body: &[u8],
        now: SystemTime,
    ) -> Result<(), WebhookError> {
        let Signature { time, digest } = Signature::parse(header).ok_or(WebhookError::FORM)?;
        // The signature covers the time as text, so it is not formatted again.
        let millis: u64 = time.parse().map_err(|_| WebhookError::FORM)?;
        let signed = UNIX_EPOCH
            .checked_add(Duration::from_millis(millis))
            .ok_or(WebhookError::TIME)?;
        let distance = now
            .duration_since(signed)
            .unwrap_or_else(|error| error.duration());
        if distance > self.tolerance {
            return Err(WebhookError::TIME);
        }
        // HMAC accepts a key of any length; the error type exists for other algorithms.
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.secret).map_err(|_| WebhookError::SIGNATURE)?;
        mac.update(time.as_bytes());
        mac.update(b".");
        mac.update(body);
        mac.verify_slice(&digest)
            .map_err(|_| WebhookError::SIGNATURE)
    }
}

impl fmt::Debug for WebhookVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookVerifier")
            .field("tolerance", &self.tolerance)
            .finish_non_exhaustive()
    }
}

struct Signature<'a> {
    time: &'a str,
    digest: [u8; 32],
}

impl<'a> Signature<'a> {
    fn parse(header: &'a str) -> Option<Self> {
        let (mut time, mut digest) = (None, None);
        for part in header.split(',') {
            match part.trim().split_once('=')? {
                ("t", value) if time.is_none() => time = Some(value),
                ("v1", value) if digest.is_none() => digest = Some(bytes(value)?),
                ("t" | "v1", _) => return None,
                // Other schemes besides v1 are ignored.
                _ => {}
            }
        }
        Some(Self {
            time: time.filter(|time| time.bytes().all(|byte| byte.is_ascii_digit()))?,
            digest: digest?,
        })
    }
}

/// 64 hexadecimal digits.
fn bytes(hex: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if hex.len() != 2 * bytes.len() {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(hex.as_bytes().chunks_exact(2)) {
        for digit in pair {
            let value = char::from(*digit).to_digit(16)?;
            *byte = *byte << 4 | u8::try_from(value).ok()?;
        }
    }
    Some(bytes)
}

/// The error of a webhook whose signature does not verify. Respond with 400 and do not act on it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("verify the webhook: {0}")]
pub struct WebhookError(&'static str);

impl WebhookError {
    const FORM: Self = Self(
        "the header WorkOS-Signature is not of the form `t=<milliseconds>, v1=<64 hexadecimal digits>`",
    );
    const TIME: Self = Self(
        "the time of the signature is too far from now; check this machine's clock, or it was sent again by somebody else",
    );
    const SIGNATURE: Self = Self(
        "the signature is not of this secret and body; check the endpoint's secret, and that the body is as it came",
    );

    /// Returns `true` if the signature's time is outside the tolerance.
    #[must_use]
    pub fn is_outside_tolerance(&self) -> bool {
        *self == Self::TIME
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = br#"{"id":"event_1"}"#;
    const MILLIS: u64 = 1_700_000_000_000;
    /// By `printf '1700000000000.{"id":"event_1"}' | openssl dgst -sha256 -hmac secret`.
    const DIGEST: &str = "003628bf3f5ef01f29414cfdc03fbca6ea9700c60645a01743a702a69d395af8";

    fn at(offset: i64, header: &str, body: &[u8]) -> Result<(), WebhookError> {
        let now = UNIX_EPOCH + Duration::from_millis(MILLIS.saturating_add_signed(offset));
        WebhookVerifier::new("secret").verify_at(header, body, now)
    }

    fn header() -> String {
        format!("t={MILLIS}, v1={DIGEST}")
    }

    #[test]
    fn a_signature_of_the_secret_and_the_body_passes() {
        assert_eq!(at(0, &header(), BODY), Ok(()));
        assert_eq!(at(0, &header().replace(", ", ","), BODY), Ok(()));
        assert_eq!(at(0, &format!("{},v2=x", header()), BODY), Ok(()));
        assert_eq!(
            at(
                0,
                &header()
                    .to_uppercase()
                    .replace("T=", "t=")
                    .replace("V1", "v1"),
                BODY
            ),
            Ok(())
        );
    }

    #[test]
    fn one_flipped_bit_fails() {
        assert_eq!(at(0, &header(), b"{}"), Err(WebhookError::SIGNATURE));
        let other_time = header().replace(&MILLIS.to_string(), &(MILLIS + 1).to_string());
        assert_eq!(at(0, &other_time, BODY), Err(WebhookError::SIGNATURE));
        let other_digest = format!("t={MILLIS}, v1={}", "0".repeat(64));
        assert_eq!(at(0, &other_digest, BODY), Err(WebhookError::SIGNATURE));
        let now = UNIX_EPOCH + Duration::from_millis(MILLIS);
        let other = WebhookVerifier::new("other").verify_at(&header(), BODY, now);
        assert_eq!(other, Err(WebhookError::SIGNATURE));
    }

    #[test]
    fn the_tolerance_counts_in_both_directions() {
        for offset in [180_000, -180_000] {
            assert_eq!(at(offset, &header(), BODY), Ok(()));
        }
        for offset in [180_001, -180_001] {
            assert!(
                at(offset, &header(), BODY)
                    .unwrap_err()
                    .is_outside_tolerance()
            );
        }
    }

    #[test]
    fn any_other_header_is_refused() {
        for wrong in [
            "",
            "t",
            "t=1",
            "v1=",
            &format!("v1={DIGEST}"),
            &format!("t=x, v1={DIGEST}"),
            &format!("t=+1, v1={DIGEST}"),
            &format!("t=99999999999999999999999, v1={DIGEST}"),
            &format!("t={MILLIS}, t={MILLIS}, v1={DIGEST}"),
            &format!("t={MILLIS}, v1={DIGEST}, v1={DIGEST}"),
            &format!("t={MILLIS}, v1={}", &DIGEST[2..]),
            &format!("t={MILLIS}, v1=ä{}", &DIGEST[2..]),
        ] {
            assert_eq!(at(0, wrong, BODY), Err(WebhookError::FORM), "{wrong}");
        }
        let far = format!("t={}, v1={DIGEST}", u64::MAX);
        assert_eq!(at(0, &far, BODY), Err(WebhookError::TIME));
    }

    #[test]
    fn the_secret_is_never_printed() {
        assert!(!format!("{:?}", WebhookVerifier::new("canary")).contains("canary"));
    }
}

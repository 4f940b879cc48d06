//! HMAC-signed links with a purpose and an expiry.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::timestamp::Timestamp;

/// The purpose of a signature. A signature for one purpose is never valid for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Download of one export; the subject is its id.
    Download,
    /// Opening of a portal link; the subject is the organization.
    PortalLink,
    /// Use of the page after that; the subject is the organization.
    PortalSession,
}

impl Purpose {
    fn as_str(self) -> &'static str {
        match self {
            Self::Download => "download",
            Self::PortalLink => "portal-link",
            Self::PortalSession => "portal-session",
        }
    }
}

/// Signs with HMAC-SHA256. The key is generated at the start and never leaves memory: a restart
/// invalidates every link.
#[derive(Clone)]
pub(crate) struct Signer(Hmac<Sha256>);

impl Signer {
    /// # Errors
    /// The system's random number generator failed.
    pub(crate) fn new() -> Result<Self, getrandom::Error> {
        // The block size of the hash: a longer key is no stronger, and a shorter one is padded to
        // it.
        let mut key = [0; 64];
        getrandom::fill(&mut key)?;
        Ok(Self(Hmac::new(&key.into())))
    }

    /// Returns the signature, in hexadecimal.
    pub(crate) fn sign(&self, purpose: Purpose, subject: &str, expires: Timestamp) -> String {
        let signature = self.mac(purpose, subject, expires).finalize().into_bytes();
        signature.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Returns `true` if this server made the signature for exactly these values, and `now` is
    /// before `expires`. Takes constant time for wrong signatures.
    pub(crate) fn verify(
        &self,
        purpose: Purpose,
        subject: &str,
        expires: Timestamp,
        signature: &str,
        now: Timestamp,
    ) -> bool {
        let Some(signature) = from_hex(signature) else {
            return false;
        };
        let genuine = self
            .mac(purpose, subject, expires)
            .verify_slice(&signature)
            .is_ok();
        genuine && now < expires
    }

    fn mac(&self, purpose: Purpose, subject: &str, expires: Timestamp) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        // Each part follows its length, so that no two sets of parts yield the same bytes.
        for part in [purpose.as_str(), subject, &expires.as_millis().to_string()] {
            mac.update(&part.len().to_be_bytes());
            mac.update(part.as_bytes());
        }
        mac
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signer(..)")
    }
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u32>> = text.chars().map(|digit| digit.to_digit(16)).collect();
    let digits = digits.filter(|digits| digits.len() == 64)?;
    digits
        .chunks(2)
        .map(|pair| u8::try_from(pair[0] * 16 + pair[1]).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signature_is_valid_for_its_values_until_it_expires() {
        let signer = Signer::new().unwrap();
        let at = Timestamp::from_millis;
        let signature = signer.sign(Purpose::Download, "a", at(10));
        let verify = |subject: &str, expires, signature: &str, now| {
            signer.verify(Purpose::Download, subject, at(expires), signature, at(now))
        };
        assert!(verify("a", 10, &signature, 9));
        assert!(!verify("a", 10, &signature, 10), "expired");
        assert!(!verify("b", 10, &signature, 9), "another subject");
        assert!(!verify("a", 11, &signature, 9), "a later expiry");
        let mut other = signature.clone();
        other.replace_range(..1, if signature.starts_with('0') { "1" } else { "0" });
        for wrong in [
            "",
            "00",
            &signature[..62],
            &format!("{signature}00"),
            &"é".repeat(64),
            &other,
        ] {
            assert!(!verify("a", 10, wrong, 9), "{wrong}");
        }
        assert!(!signer.verify(Purpose::PortalLink, "a", at(10), &signature, at(9)));
        let restarted = Signer::new().unwrap();
        assert!(!restarted.verify(Purpose::Download, "a", at(10), &signature, at(9)));
    }
}

//! The accepted API keys, kept as hashes.

use std::fmt;

use axum::http::{HeaderMap, header};
use sha2::{Digest, Sha256};

/// The SHA-256 of an API key.
///
/// The server compares hashes, so that timing reveals nothing about the key, and writes only hashes
/// to disk.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct KeyHash([u8; 32]);

impl KeyHash {
    pub(crate) fn of(key: &str) -> Self {
        Self(Sha256::digest(key).into())
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyHash(..)")
    }
}

/// The accepted API keys.
#[derive(Debug)]
pub(crate) struct ApiKeys(Vec<KeyHash>);

impl ApiKeys {
    pub(crate) fn new(keys: &[String]) -> Self {
        Self(keys.iter().map(|key| KeyHash::of(key)).collect())
    }

    /// Returns the hash of the request's key, if the request has `Authorization: Bearer` with an
    /// accepted key.
    pub(crate) fn authorize(&self, headers: &HeaderMap) -> Option<KeyHash> {
        let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
        let (scheme, key) = value.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let key_hash = KeyHash::of(key.trim());
        self.0.contains(&key_hash).then_some(key_hash)
    }
}

/// Returns `true` if a key is a valid header value and has the service's prefix.
pub(crate) fn is_api_key(key: &str) -> bool {
    key.len() > 3 && key.starts_with("sk_") && key.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn authorize(value: &str) -> bool {
        let keys = ApiKeys::new(&["sk_one".to_owned(), "sk_two".to_owned()]);
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, value.parse().unwrap());
        keys.authorize(&headers).is_some()
    }

    #[test]
    fn only_known_keys_are_accepted() {
        assert!(authorize("Bearer sk_one") && authorize("bearer sk_two"));
        for value in [
            "",
            "Bearer",
            "Bearer ",
            "sk_one",
            "Basic sk_one",
            "Bearer sk_on",
            "Bearer sk_one2",
            "Bearer SK_ONE",
        ] {
            assert!(!authorize(value), "{value}");
        }
        assert!(
            ApiKeys::new(&["sk_one".to_owned()])
                .authorize(&HeaderMap::new())
                .is_none()
        );
    }

    #[test]
    fn api_key_starts_with_sk_and_is_visible_ascii() {
        assert!(is_api_key("sk_test_local"));
        for key in ["", "sk_", "pk_1", "sk_a b", "sk_ä", "sk_a\n"] {
            assert!(!is_api_key(key), "{key:?}");
        }
    }

    #[test]
    fn debug_output_has_no_key_hash() {
        assert_eq!(format!("{:?}", KeyHash::of("sk_one")), "KeyHash(..)");
    }
}

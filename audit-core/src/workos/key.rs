//! The API key.

use std::fmt;

use http::HeaderValue;
use zeroize::Zeroizing;

use super::config_error::{ConfigError, ConfigErrorKind};

/// A secret API key of the service, `sk_…`. It is wiped from memory on drop and never printed.
#[derive(Clone)]
pub struct ApiKey(Zeroizing<String>);

impl ApiKey {
    /// Wraps a key.
    ///
    /// # Errors
    ///
    /// The key does not start with `sk_`, or contains a character that a header cannot hold.
    pub fn new(key: impl Into<String>) -> Result<Self, ConfigError> {
        let key = Zeroizing::new(key.into());
        if !key.starts_with("sk_") {
            return Err(ConfigErrorKind::KeyForm.into());
        }
        if !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(ConfigErrorKind::KeyCharacter.into());
        }
        Ok(Self(key))
    }

    /// Returns the value of the `Authorization` header, marked as sensitive.
    pub(super) fn header(&self) -> Result<HeaderValue, ConfigError> {
        let text = Zeroizing::new(format!("Bearer {}", *self.0));
        let mut value = HeaderValue::from_str(&text).map_err(|_| ConfigErrorKind::KeyCharacter)?;
        value.set_sensitive(true);
        Ok(value)
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(sk_…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_key_is_an_error_with_its_remedy() {
        let error = |key| ApiKey::new(key).unwrap_err().to_string();
        assert!(error("client_123").contains("does not start with `sk_`"));
        assert!(error("sk_a\nb").contains("white space"));
    }
}

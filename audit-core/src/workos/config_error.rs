//! The error of a client that cannot be set up.

use std::fmt;

use super::transport_failure::BoxError;

/// The error of a client that cannot be set up.
#[derive(thiserror::Error)]
#[error("set up the WorkOS client: {kind}")]
pub struct ConfigError {
    kind: ConfigErrorKind,
}

/// The error's text, since a `main` that returns the error prints this.
impl fmt::Debug for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ConfigError({self})")
    }
}

impl From<ConfigErrorKind> for ConfigError {
    fn from(kind: ConfigErrorKind) -> Self {
        Self { kind }
    }
}

#[derive(Debug, thiserror::Error)]
pub(super) enum ConfigErrorKind {
    #[error(
        "WORKOS_API_KEY is not set; for a local server run `audited serve` and paste the two lines that it prints"
    )]
    NoKey,
    #[error(
        "the API key does not start with `sk_`; secret keys do, and client ids or publishable keys do not serve"
    )]
    KeyForm,
    #[error("the API key holds white space or a character outside ASCII; copy it anew")]
    KeyCharacter,
    #[error(
        "base URL {0:?} is not an http or https address without a query, such as http://127.0.0.1:4100"
    )]
    BaseUrl(String),
    #[error("the proxy is not an address such as http://proxy.example:3128")]
    Proxy,
    #[error(
        "a root certificate is not PEM; it is text between `-----BEGIN CERTIFICATE-----` and `-----END CERTIFICATE-----`"
    )]
    Root,
    #[error("the TLS library does not start")]
    Tls(#[source] BoxError),
}

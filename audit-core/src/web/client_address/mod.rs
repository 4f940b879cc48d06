//! The client's address behind proxies.

mod client_address;
mod node;
#[cfg(test)]
mod tests;

pub use self::client_address::{TrustedProxies, TrustedProxiesError};

//! The head of a request.

use std::net::IpAddr;

/// The head of a request, as seen by an integration.
pub trait RequestHead {
    /// Returns the method, such as `DELETE`.
    fn method(&self) -> &str;

    /// Returns the values of a header, one for each line of that name, in order. `name` is in lower
    /// case.
    fn header<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]>;

    /// Returns the address of the peer of the connection, if the server knows it.
    fn peer(&self) -> Option<IpAddr>;
}

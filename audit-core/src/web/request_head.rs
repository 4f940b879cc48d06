//! The head of a request.

use std::net::IpAddr;

/// The head of a request, as a framework has it.
pub trait RequestHead {
    /// The method, such as `DELETE`.
    fn method(&self) -> &str;

    /// The values of a header, one for each line of that name, in their order. The name is in lower
    /// case.
    fn header<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]>;

    /// The address of the other end of the connection, if the server knows it.
    fn peer(&self) -> Option<IpAddr>;
}

//! The address of the client behind trusted proxies, read from one header.

use super::node;
use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};

/// The longest chain of trusted proxies that is walked.
const MAX_HOPS: usize = 32;

/// The proxies that are trusted to report the client's address, and the one header that they use.
///
/// Any client can send a header, so a header is read only when the peer of the connection is a
/// proxy in one of the given networks. Each proxy appends the address of its own peer, so a list is
/// walked from the right: the client is the first address that is not a trusted proxy's. Entries to
/// the left of it are unverified, and never recorded.
///
/// ```
/// use audit_core::TrustedProxies;
///
/// let proxies = TrustedProxies::x_forwarded_for(["10.0.0.0/8", "fd00::/8", "192.0.2.7"])?;
/// # let cdn = ["192.0.2.0/24"];
/// let cloudflare = TrustedProxies::header("cf-connecting-ip", cdn)?;
/// # Ok::<_, audit_core::TrustedProxiesError>(())
/// ```
///
/// **One header, never two**: a proxy maintains one and forwards the other as the client sent it.
/// Choose the header that your proxies append to, and list every proxy between the client and the
/// service, but no network that other clients could connect from.
///
/// Where a proxy gives no address (`unknown`, an obfuscated name such as `_gateway`, no entry) or
/// an invalid one, the walk ends, and the address is that of the proxy itself, the last verified
/// one. The walk also ends after 32 hops, and at an entry of more than 512 bytes. If all hops are
/// trusted proxies, as for a call between two of your own services, the address is the farthest of
/// them. IPv4 addresses inside IPv6 (`::ffff:192.0.2.1`) count as IPv4, in headers and in networks.
///
/// Without a peer address, as on a Unix socket, no header is trusted.
#[derive(Clone, Debug)]
#[must_use]
pub struct TrustedProxies {
    networks: Vec<IpNet>,
    header: Header,
}

#[derive(Clone, Debug)]
enum Header {
    XForwardedFor,
    Forwarded,
    /// One address; the name is in lower case.
    Single(String),
}

impl TrustedProxies {
    /// Trusts proxies that append to `X-Forwarded-For`: a list of addresses, each with or without a
    /// port.
    ///
    /// Several header lines form one list. A network is written as `10.0.0.0/8`; a single address
    /// is the network of that address.
    ///
    /// # Errors
    ///
    /// A text that is not a network, and a network of all addresses, which would let every client
    /// choose its own address.
    pub fn x_forwarded_for<N: AsRef<str>>(
        networks: impl IntoIterator<Item = N>,
    ) -> Result<Self, TrustedProxiesError> {
        Self::new(networks, Header::XForwardedFor)
    }

    /// Trusts proxies that append to `Forwarded` ([RFC
    /// 7239](https://www.rfc-editor.org/rfc/rfc7239)), of which `for` is read.
    ///
    /// Several header lines form one list.
    ///
    /// # Errors
    ///
    /// As [`TrustedProxies::x_forwarded_for`].
    pub fn forwarded<N: AsRef<str>>(
        networks: impl IntoIterator<Item = N>,
    ) -> Result<Self, TrustedProxiesError> {
        Self::new(networks, Header::Forwarded)
    }

    /// Trusts proxies that set a header of one address, such as `cf-connecting-ip`,
    /// `true-client-ip` or `x-real-ip`.
    ///
    /// Such a header does not show who wrote it, so each of the proxies must overwrite or remove
    /// the one that it received. More than one line, or more than one address, is ignored: the
    /// address is then the peer's.
    ///
    /// # Errors
    ///
    /// As [`TrustedProxies::x_forwarded_for`]; also an invalid header name, and the name of a list.
    pub fn header<N: AsRef<str>>(
        name: &str,
        networks: impl IntoIterator<Item = N>,
    ) -> Result<Self, TrustedProxiesError> {
        let lower = name.to_ascii_lowercase();
        let problem = match &*lower {
            "x-forwarded-for" => ErrorKind::List(lower, "x_forwarded_for"),
            "forwarded" => ErrorKind::List(lower, "forwarded"),
            _ if http::HeaderName::from_bytes(lower.as_bytes()).is_ok() => {
                return Self::new(networks, Header::Single(lower));
            }
            _ => ErrorKind::Name(name.to_owned()),
        };
        Err(TrustedProxiesError(problem))
    }

    fn new<N: AsRef<str>>(
        networks: impl IntoIterator<Item = N>,
        header: Header,
    ) -> Result<Self, TrustedProxiesError> {
        let networks = networks
            .into_iter()
            .map(|text| network(text.as_ref()))
            .collect::<Result<_, _>>()?;
        Ok(Self { networks, header })
    }

    /// Returns the header that is read, in lower case.
    pub(crate) fn header_name(&self) -> &str {
        match &self.header {
            Header::XForwardedFor => "x-forwarded-for",
            Header::Forwarded => "forwarded",
            Header::Single(name) => name,
        }
    }

    /// Returns the client's address, from the peer's and the lines of the header in order.
    pub(crate) fn client<'a>(&self, peer: IpAddr, lines: impl Iterator<Item = &'a [u8]>) -> IpAddr {
        let peer = peer.to_canonical();
        if !self.trusts(peer) {
            return peer;
        }
        match self.header {
            Header::XForwardedFor => self.walk(peer, lines, node::address),
            Header::Forwarded => self.walk(peer, lines, node::forwarded_for),
            Header::Single(_) => single(lines).unwrap_or(peer),
        }
    }

    /// Walks from the peer to the left.
    ///
    /// An entry is trusted if a trusted proxy wrote it, which holds as long as the address to its
    /// right is one.
    fn walk<'a>(
        &self,
        peer: IpAddr,
        lines: impl Iterator<Item = &'a [u8]>,
        read: impl Fn(&[u8]) -> Option<IpAddr>,
    ) -> IpAddr {
        // The server has bounded the lines before; each holds at least one entry.
        let lines: Vec<_> = lines.collect();
        // A comma inside a quoted string splits, too. The pieces of such an entry are never
        // well-formed, since each has an unpaired quote, so the walk ends there. Reading from the
        // left instead would let a quote that the client opened hide what the proxies appended.
        let entries = lines
            .iter()
            .rev()
            .flat_map(|line| line.rsplit(|byte| *byte == b','));
        let mut vouched = peer;
        for entry in entries.take(MAX_HOPS) {
            let Some(address) = read(entry) else { break };
            vouched = address;
            if !self.trusts(address) {
                break;
            }
        }
        vouched
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.networks
            .iter()
            .any(|network| network.contains(&address))
    }
}

/// Returns the address of a header with one line and one address.
fn single<'a>(mut lines: impl Iterator<Item = &'a [u8]>) -> Option<IpAddr> {
    let line = lines.next()?;
    if lines.next().is_some() {
        return None;
    }
    node::address(line)
}

fn network(text: &str) -> Result<IpNet, TrustedProxiesError> {
    let network = match text.parse::<IpNet>() {
        Ok(network) => network,
        Err(_) => match text.parse::<IpAddr>() {
            Ok(address) => IpNet::from(address),
            Err(_) => return Err(TrustedProxiesError(ErrorKind::Network(text.to_owned()))),
        },
    };
    let network = canonical(network);
    if network.prefix_len() == 0 {
        return Err(TrustedProxiesError(ErrorKind::Everything(text.to_owned())));
    }
    Ok(network)
}

/// Converts a network of IPv4 addresses inside IPv6 to the IPv4 network, since addresses are
/// compared in that form.
fn canonical(network: IpNet) -> IpNet {
    let IpNet::V6(inside) = network else {
        return network;
    };
    let v4 = inside
        .addr()
        .to_ipv4_mapped()
        .zip(inside.prefix_len().checked_sub(96));
    v4.and_then(|(address, prefix)| Ipv4Net::new(address, prefix).ok())
        .map_or(network, IpNet::V4)
}

/// The error of an invalid [`TrustedProxies`]: the value, the rule, and a valid example.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct TrustedProxiesError(ErrorKind);

#[derive(Debug, thiserror::Error)]
enum ErrorKind {
    #[error(
        "trusted proxy `{0}` is no network: write `10.0.0.0/8`, `fd00::/8`, or an address such as `192.0.2.7`"
    )]
    Network(String),
    #[error(
        "trusted proxy `{0}` is the network of all addresses, so that every client could choose its own: name the networks \
         that only your proxies are in, such as `10.0.0.0/8`"
    )]
    Everything(String),
    #[error("`{0}` is no header name: write one such as `cf-connecting-ip`")]
    Name(String),
    #[error("`{0}` is a list, of which only a part can be trusted: use `TrustedProxies::{1}`")]
    List(String, &'static str),
}

//! The address of the client behind proxies: what one header says, as far as trusted proxies vouch
//! for it.

use super::node;
use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};

/// How many hops are walked; a longer chain of trusted proxies ends there.
const MAX_HOPS: usize = 32;

/// The proxies whose word about the client's address is taken, and the one header that is their
/// word.
///
/// Anybody can send a header, so a header is read only when the peer of the connection is a proxy
/// in one of the named networks. Each proxy appends the address that it was called from, so a list
/// is walked from the right: the client is the first address that is not a trusted proxy's. What
/// stands to the left of it is hearsay, and never recorded.
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
/// **One header, never two**: a proxy maintains one and passes the other on as the client sent it.
/// Take the header that your proxies append to, and list every proxy between the client and the
/// service, but nothing that anybody else could call from.
///
/// Where a proxy does not say (`unknown`, a hidden name such as `_gateway`, no entry) or says
/// something that is no address, the walk ends, and the address is that of the proxy itself, the
/// nearest that somebody vouches for. It ends as well after 32 hops, and at an entry of more than
/// 512 bytes. Behind trusted proxies only, as for a call between two of your own services, the
/// address is the farthest of them. IPv4 addresses inside IPv6 (`::ffff:192.0.2.1`) count as IPv4,
/// in headers and in networks.
///
/// Without a peer address, as on a Unix socket, nothing is trusted.
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
    /// Proxies that append to `X-Forwarded-For`: a list of addresses, each with or without a port.
    /// Several header lines are one list.
    ///
    /// A network is written as in `10.0.0.0/8`; an address alone is the network of that one.
    ///
    /// # Errors
    ///
    /// A text that is no network, and a network of all addresses, with which every client could
    /// choose its own.
    pub fn x_forwarded_for<N: AsRef<str>>(
        networks: impl IntoIterator<Item = N>,
    ) -> Result<Self, TrustedProxiesError> {
        Self::new(networks, Header::XForwardedFor)
    }

    /// Proxies that append to `Forwarded` ([RFC 7239](https://www.rfc-editor.org/rfc/rfc7239)); its
    /// `for` is what counts. Several header lines are one list.
    ///
    /// # Errors
    ///
    /// As [`TrustedProxies::x_forwarded_for`].
    pub fn forwarded<N: AsRef<str>>(
        networks: impl IntoIterator<Item = N>,
    ) -> Result<Self, TrustedProxiesError> {
        Self::new(networks, Header::Forwarded)
    }

    /// Proxies that set a header of one address, such as `cf-connecting-ip`, `true-client-ip` or
    /// `x-real-ip`.
    ///
    /// Nothing tells the proxy's word from the client's in such a header, so each of the proxies
    /// must overwrite or remove what it was sent. More than one line, or more than one address, is
    /// nobody's word: then the address is the peer's.
    ///
    /// # Errors
    ///
    /// As [`TrustedProxies::x_forwarded_for`]; and a name that is no header's, or that of a list.
    pub fn header<N: AsRef<str>>(
        name: &str,
        networks: impl IntoIterator<Item = N>,
    ) -> Result<Self, TrustedProxiesError> {
        let lower = name.to_ascii_lowercase();
        let problem = match &*lower {
            "x-forwarded-for" => Problem::List(lower, "x_forwarded_for"),
            "forwarded" => Problem::List(lower, "forwarded"),
            _ if http::HeaderName::from_bytes(lower.as_bytes()).is_ok() => {
                return Self::new(networks, Header::Single(lower));
            }
            _ => Problem::Name(name.to_owned()),
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

    /// The header that is read, in lower case.
    pub(crate) fn header_name(&self) -> &str {
        match &self.header {
            Header::XForwardedFor => "x-forwarded-for",
            Header::Forwarded => "forwarded",
            Header::Single(name) => name,
        }
    }

    /// The client's address, from the peer's and the lines of the header in their order.
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

    /// From the peer to the left: an entry counts if a trusted proxy wrote it, which is so as long
    /// as the address to the right of it is one's.
    fn walk<'a>(
        &self,
        peer: IpAddr,
        lines: impl Iterator<Item = &'a [u8]>,
        read: impl Fn(&[u8]) -> Option<IpAddr>,
    ) -> IpAddr {
        // The server has bounded the lines before; each holds at least one entry.
        let lines: Vec<_> = lines.collect();
        // A comma inside a quoted string divides, too. What is left of such an entry is well-formed
        // nowhere, since it has one quote too many, so that the walk ends there; reading from the
        // left instead would let a quote that the client opened swallow what the proxies appended.
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

/// The address in a header that has one line and one address.
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
            Err(_) => return Err(TrustedProxiesError(Problem::Network(text.to_owned()))),
        },
    };
    let network = canonical(network);
    if network.prefix_len() == 0 {
        return Err(TrustedProxiesError(Problem::Everything(text.to_owned())));
    }
    Ok(network)
}

/// A network of IPv4 addresses inside IPv6 as the IPv4 network that it is, since addresses are
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

/// Why [`TrustedProxies`] could not be made: the value, the rule, and a sample that is valid.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct TrustedProxiesError(Problem);

#[derive(Debug, thiserror::Error)]
enum Problem {
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

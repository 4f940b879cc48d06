//! Tests of the client's address: examples, and a property over chains of proxies behind an
//! attacker.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use std::net::IpAddr;

use super::*;

const TRUSTED: [&str; 4] = [
    "10.0.0.0/8",
    "192.0.2.7",
    "fd00::/8",
    "::ffff:172.16.0.0/108",
];

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn client(proxies: &TrustedProxies, peer: &str, lines: &[&str]) -> String {
    let lines = lines.iter().map(|line| line.as_bytes());
    proxies.client(ip(peer), lines).to_string()
}

fn by_x_forwarded_for(peer: &str, lines: &[&str]) -> String {
    client(
        &TrustedProxies::x_forwarded_for(TRUSTED).unwrap(),
        peer,
        lines,
    )
}

fn by_forwarded(peer: &str, lines: &[&str]) -> String {
    client(&TrustedProxies::forwarded(TRUSTED).unwrap(), peer, lines)
}

#[test]
fn a_peer_that_is_not_trusted_is_the_client_whatever_it_says() {
    assert_eq!(
        by_x_forwarded_for("203.0.113.9", &["198.51.100.1"]),
        "203.0.113.9"
    );
    assert_eq!(
        by_forwarded("::ffff:203.0.113.9", &["for=198.51.100.1"]),
        "203.0.113.9"
    );
    let nobody = TrustedProxies::x_forwarded_for::<&str>([]).unwrap();
    assert_eq!(client(&nobody, "10.0.0.1", &["198.51.100.1"]), "10.0.0.1");
}

#[test]
fn the_client_is_the_first_from_the_right_that_is_no_trusted_proxy() {
    for (lines, expected) in [
        (&["203.0.113.9"][..], "203.0.113.9"),
        (&["198.51.100.1, 203.0.113.9"], "203.0.113.9"),
        (&["198.51.100.1, 203.0.113.9:4711, 10.0.0.2"], "203.0.113.9"),
        (
            &["198.51.100.1", "203.0.113.9,[fd00::1]:80", "172.16.5.5"],
            "203.0.113.9",
        ),
        (&["10.0.0.3,\t192.0.2.7"], "10.0.0.3"),
        (&[], "10.0.0.1"),
    ] {
        assert_eq!(by_x_forwarded_for("10.0.0.1", lines), expected, "{lines:?}");
        assert_eq!(
            by_x_forwarded_for("::ffff:10.0.0.1", lines),
            expected,
            "{lines:?}"
        );
    }
    let lines = [
        "for=198.51.100.1;proto=http",
        "for=\"[2001:db8::1]:4711\", For=10.0.0.2;by=10.0.0.1",
    ];
    assert_eq!(by_forwarded("10.0.0.1", &lines), "2001:db8::1");
}

#[test]
fn where_a_proxy_does_not_say_it_is_the_proxy() {
    for silent in ["unknown", "_gateway", "", "garbage", "\"203.0.113.9"] {
        let line = format!("198.51.100.1, {silent}, 10.0.0.2");
        assert_eq!(
            by_x_forwarded_for("10.0.0.1", &[&line]),
            "10.0.0.2",
            "{line}"
        );
        let line = format!("for=198.51.100.1, for={silent}, for=10.0.0.2");
        assert_eq!(by_forwarded("10.0.0.1", &[&line]), "10.0.0.2", "{line}");
    }
}

#[test]
fn a_quote_that_the_client_opened_hides_nothing() {
    assert_eq!(
        by_forwarded("10.0.0.1", &["for=198.51.100.1;host=\"", "for=203.0.113.9"]),
        "203.0.113.9"
    );
    // Text of the client inside a quoted value is no element.
    for host in [
        "a, for=198.51.100.1",
        "a, for=198.51.100.1;b=",
        "a, for=198.51.100.1;b=\\\"",
    ] {
        let line = format!("for=203.0.113.9;host=\"{host}\";proto=\"https\"");
        assert_eq!(by_forwarded("10.0.0.1", &[&line]), "10.0.0.1", "{line}");
    }
}

#[test]
fn the_walk_ends_after_32_hops() {
    let proxies: Vec<_> = (0..40).map(|hop| format!("10.1.0.{hop}")).collect();
    let line = format!("203.0.113.9, {}", proxies.join(", "));
    assert_eq!(by_x_forwarded_for("10.0.0.1", &[&line]), "10.1.0.8");
}

#[test]
fn a_header_of_one_address_is_read_when_it_has_one() {
    let proxies = TrustedProxies::header("CF-Connecting-IP", TRUSTED).unwrap();
    assert_eq!(proxies.header_name(), "cf-connecting-ip");
    for (peer, lines, expected) in [
        ("10.0.0.1", &["203.0.113.9"][..], "203.0.113.9"),
        ("10.0.0.1", &["2001:db8::1"], "2001:db8::1"),
        ("10.0.0.1", &["198.51.100.1", "203.0.113.9"], "10.0.0.1"),
        ("10.0.0.1", &["198.51.100.1, 203.0.113.9"], "10.0.0.1"),
        ("10.0.0.1", &["unknown"], "10.0.0.1"),
        ("10.0.0.1", &[], "10.0.0.1"),
        ("203.0.113.8", &["203.0.113.9"], "203.0.113.8"),
    ] {
        assert_eq!(client(&proxies, peer, lines), expected, "{peer} {lines:?}");
    }
}

#[test]
fn what_cannot_be_trusted_is_refused_with_the_value_and_a_sample() {
    let error =
        |result: Result<TrustedProxies, TrustedProxiesError>| result.unwrap_err().to_string();
    assert_eq!(
        error(TrustedProxies::forwarded(["10.0.0.0/8", "10.0.0.0/33"])),
        "trusted proxy `10.0.0.0/33` is no network: write `10.0.0.0/8`, `fd00::/8`, or an address such as `192.0.2.7`"
    );
    for everything in ["0.0.0.0/0", "::/0", "::ffff:0:0/96", "10.0.0.0/0"] {
        let error = error(TrustedProxies::x_forwarded_for([everything]));
        assert!(error.contains("every client could choose"), "{error}");
    }
    assert_eq!(
        error(TrustedProxies::header("cf connecting ip", TRUSTED)),
        "`cf connecting ip` is no header name: write one such as `cf-connecting-ip`"
    );
    assert_eq!(
        error(TrustedProxies::header("X-Forwarded-For", TRUSTED)),
        "`x-forwarded-for` is a list, of which only a part can be trusted: use `TrustedProxies::x_forwarded_for`"
    );
}

/// The form in which a proxy appends the address of its peer.
#[derive(Clone, Debug)]
struct Proxy {
    address: IpAddr,
    /// A form of the address, or an obfuscated name.
    form: usize,
    own_line: bool,
    /// Text of the client, in a quoted parameter behind it.
    echo: Option<String>,
}

const FORMS: usize = 5;

impl Proxy {
    /// Returns the address in this proxy's entry, if there is one.
    fn tells(&self, caller: IpAddr) -> Option<IpAddr> {
        (self.form < FORMS - 1).then_some(caller)
    }

    fn x_forwarded_for(&self, caller: IpAddr) -> String {
        match (caller, self.form) {
            (_, 4) => "unknown".to_owned(),
            (IpAddr::V4(v4), 1) => format!("{v4}:4711"),
            (IpAddr::V4(v4), 2) => v4.to_ipv6_mapped().to_string(),
            (IpAddr::V4(v4), 3) => format!("[{}]:80", v4.to_ipv6_mapped()),
            (IpAddr::V6(v6), 1) => format!("[{v6}]"),
            (IpAddr::V6(v6), 2 | 3) => format!("[{v6}]:65535"),
            (address, _) => address.to_string(),
        }
    }

    fn forwarded(&self, caller: IpAddr) -> String {
        let node = match (caller, self.form) {
            (_, 4) => "_hidden".to_owned(),
            (IpAddr::V4(v4), 1) => format!("\"{v4}:_port\""),
            (IpAddr::V4(v4), 2) => format!("\"[{}]\"", v4.to_ipv6_mapped()),
            (IpAddr::V6(v6), 0 | 1) => format!("\"[{v6}]\""),
            (IpAddr::V6(v6), _) => format!("\"[{v6}]:4711\""),
            (v4, _) => v4.to_string(),
        };
        let mut element = format!("for={node}");
        if self.form.is_multiple_of(2) {
            element = format!("proto=https;{element}");
        }
        if let Some(echo) = &self.echo {
            let escaped = echo.replace('\\', "\\\\").replace('"', "\\\"");
            element = format!("{element};host=\"{escaped}\"");
            if self.form.is_multiple_of(2) {
                element.push_str(";by=\"_me\"");
            }
        }
        element
    }
}

fn trusted() -> impl Strategy<Value = IpAddr> {
    prop_oneof![
        any::<[u8; 3]>().prop_map(|[a, b, c]| IpAddr::from([10, a, b, c])),
        (16_u8..32, any::<u16>()).prop_map(|(a, b)| {
            let [b, c] = b.to_be_bytes();
            IpAddr::from([172, a, b, c])
        }),
        Just(ip("192.0.2.7")),
        any::<u64>().prop_map(|host| IpAddr::from((0xfd << 120 | u128::from(host)).to_be_bytes())),
    ]
}

fn untrusted() -> impl Strategy<Value = IpAddr> {
    prop_oneof![
        any::<u8>().prop_map(|host| IpAddr::from([203, 0, 113, host])),
        any::<u64>()
            .prop_map(|host| IpAddr::from((0x2001_0db8 << 96 | u128::from(host)).to_be_bytes())),
    ]
}

/// Generates an attacker's header: pieces that mean something to a parser, in any order.
fn writing() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => select(vec![
            "for=", "For=", "by=", "host=", ",", ", ", ";", "\"", "\\", "\\\"", "=", ":80", "[", "]", " ", "\t", "unknown",
            "_hidden", "::ffff:", "198.51.100.1", "\"198.51.100.1\"", "for=198.51.100.1", "for=198.51.100.1;b=",
            "\"[2001:db8:bad::1]:80\"", "10.0.0.1", "fd00::1", "\u{e4}",
        ])
        .prop_map(str::to_owned),
        1 => "[ -~]{0,12}",
    ];
    vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

fn proxy() -> impl Strategy<Value = Proxy> {
    let form = prop_oneof![8 => 0..FORMS - 1, 1 => Just(FORMS - 1)];
    let echo = prop_oneof![3 => Just(None), 1 => writing().prop_map(Some)];
    (trusted(), form, any::<bool>(), echo).prop_map(|(address, form, own_line, echo)| Proxy {
        address,
        form,
        own_line,
        echo,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_address_is_never_one_that_an_untrusted_hop_could_have_chosen(
        attacker in untrusted(),
        mut lines in vec(writing(), 0..4),
        chain in vec(proxy(), 0..6),
        standard in any::<bool>(),
    ) {
        // Each proxy appends its peer to the header that it received.
        let mut caller = attacker;
        for proxy in &chain {
            let entry = if standard { proxy.forwarded(caller) } else { proxy.x_forwarded_for(caller) };
            match lines.last_mut() {
                Some(line) if !proxy.own_line => *line = format!("{line}, {entry}"),
                _ => lines.push(entry),
            }
            caller = proxy.address;
        }
        let proxies = if standard {
            TrustedProxies::forwarded(TRUSTED)
        } else {
            TrustedProxies::x_forwarded_for(TRUSTED)
        };
        let address = proxies.unwrap().client(caller, lines.iter().map(String::as_bytes));

        // The expected address, from the chain itself: the peer of the last proxy, then of the one
        // before, while each reports one.
        let mut vouched = caller;
        let mut ends = Vec::new();
        for (index, proxy) in chain.iter().enumerate().rev() {
            let caller = if index == 0 { attacker } else { chain[index - 1].address };
            let Some(told) = proxy.tells(caller) else { break };
            // The client's text may contain a comma or make the entry too long, and an invalid
            // entry ends the walk.
            if standard && proxy.echo.is_some() {
                ends.push(vouched);
            }
            vouched = told;
        }
        prop_assert!(address == vouched || ends.contains(&address), "{address} of {lines:?}");
    }
}

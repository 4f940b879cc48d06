//! The entry of one proxy: an address, with or without a port. Anything else is `None`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The longest entry, in bytes: longer than any address with its port, or honest element of
/// `Forwarded`.
const MAX_ENTRY_BYTES: usize = 512;

/// Parses an entry of `X-Forwarded-For`: `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`,
/// `[2001:db8::1]` or `[2001:db8::1]:4711`.
pub(super) fn address(entry: &[u8]) -> Option<IpAddr> {
    let entry = text(entry)?;
    match entry.parse::<Ipv6Addr>() {
        Ok(address) => Some(IpAddr::V6(address).to_canonical()),
        Err(_) => node(entry),
    }
}

/// Parses the `for` of an element of `Forwarded`, such as `for="[2001:db8::1]:4711";proto=https`.
///
/// The whole element has to be well-formed and have one `for` ([RFC 7239, section
/// 4](https://www.rfc-editor.org/rfc/rfc7239#section-4)).
pub(super) fn forwarded_for(element: &[u8]) -> Option<IpAddr> {
    let mut rest = text(element)?;
    let mut found = None;
    while !rest.is_empty() {
        let (name, value) = rest.split_once('=')?;
        if name.is_empty() || !name.bytes().all(is_token) {
            return None;
        }
        let (value, after) = match value.strip_prefix('"') {
            Some(quoted) => quoted_string(quoted)?,
            None => token(value)?,
        };
        if name.eq_ignore_ascii_case("for") && found.replace(value).is_some() {
            return None;
        }
        rest = match after.strip_prefix(';') {
            Some(more) => more,
            None if after.is_empty() => after,
            None => return None,
        };
    }
    node(&found?)
}

/// The entry without the white space around it, if it is short enough to be one.
fn text(entry: &[u8]) -> Option<&str> {
    let entry = (entry.len() <= MAX_ENTRY_BYTES).then_some(entry)?;
    Some(std::str::from_utf8(entry).ok()?.trim_matches([' ', '\t']))
}

/// An unquoted value, and what follows it. Colons and brackets are no part of a token, but some
/// proxies leave the quotes out, and nothing else can be meant.
fn token(text: &str) -> Option<(String, &str)> {
    let end = text
        .bytes()
        .position(|byte| !is_token(byte) && !matches!(byte, b':' | b'[' | b']'));
    let (value, after) = text.split_at(end.unwrap_or(text.len()));
    (!value.is_empty()).then(|| (value.to_owned(), after))
}

/// A quoted string whose opening quote is already read, and what follows its closing one.
fn quoted_string(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    loop {
        match chars.next()? {
            (at, '"') => return Some((value, &text[at + 1..])),
            (_, '\\') => value.push(chars.next()?.1),
            (_, char) => value.push(char),
        }
    }
}

/// A byte of a token ([RFC 9110, section
/// 5.6.2](https://www.rfc-editor.org/rfc/rfc9110#section-5.6.2)).
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// An IPv4 address or an IPv6 address in brackets, with or without a port
/// ([RFC 7239, section 6](https://www.rfc-editor.org/rfc/rfc7239#section-6)).
fn node(text: &str) -> Option<IpAddr> {
    let (address, after) = match text.strip_prefix('[') {
        Some(bracketed) => {
            let (address, after) = bracketed.split_once(']')?;
            (IpAddr::V6(address.parse::<Ipv6Addr>().ok()?), after)
        }
        None => {
            let (address, after) = text.split_at(text.find(':').unwrap_or(text.len()));
            (IpAddr::V4(address.parse::<Ipv4Addr>().ok()?), after)
        }
    };
    let well_formed = after.is_empty() || after.strip_prefix(':').is_some_and(is_port);
    well_formed.then(|| address.to_canonical())
}

/// A port, or a name that hides it.
fn is_port(text: &str) -> bool {
    match text.strip_prefix('_') {
        Some(hidden) => {
            let is_hidden =
                |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
            !hidden.is_empty() && hidden.bytes().all(is_hidden)
        }
        None => (1..=5).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn an_address_is_read_with_and_without_a_port() {
        for (entry, read) in [
            ("192.0.2.1", "192.0.2.1"),
            (" \t192.0.2.1 ", "192.0.2.1"),
            ("192.0.2.1:4711", "192.0.2.1"),
            ("2001:db8::1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[2001:DB8::1]:4711", "2001:db8::1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
            ("[::ffff:192.0.2.1]:80", "192.0.2.1"),
        ] {
            assert_eq!(address(entry.as_bytes()), ip(read), "{entry}");
        }
    }

    #[test]
    fn what_is_no_address_is_not_read() {
        for entry in [
            "",
            " ",
            "unknown",
            "_hidden",
            "-",
            "localhost",
            "192.0.2",
            "192.0.2.1.",
            "192.0.2.256",
            "192.0.2.01",
            "192.0.2.1:",
            "192.0.2.1:port",
            "192.0.2.1:123456",
            "192.0.2.1 192.0.2.2",
            "192.0.2.1\0",
            "[192.0.2.1]",
            "[2001:db8::1",
            "2001:db8::1]",
            "[2001:db8::1]4711",
            "fe80::1%eth0",
            "\"192.0.2.1\"",
            "for=192.0.2.1",
        ] {
            assert_eq!(address(entry.as_bytes()), None, "{entry}");
        }
        assert_eq!(address(b"192.0.2.1\xff"), None);
        let padded = format!("{}192.0.2.1", " ".repeat(MAX_ENTRY_BYTES));
        assert_eq!(address(padded.as_bytes()), None);
    }

    #[test]
    fn the_for_of_a_forwarded_element_is_read() {
        for (element, read) in [
            ("for=192.0.2.1", "192.0.2.1"),
            ("For=192.0.2.1;proto=https;by=203.0.113.9", "192.0.2.1"),
            ("proto=https;FOR=192.0.2.1", "192.0.2.1"),
            (r#"for="192.0.2.1:4711""#, "192.0.2.1"),
            (r#"for="192.0.2.1:_port""#, "192.0.2.1"),
            (r#" for="[2001:db8::1]:4711" "#, "2001:db8::1"),
            (r#"for="[2001:db8::1]";host="a\"b;c""#, "2001:db8::1"),
            (r#"for="\192.0.2.1""#, "192.0.2.1"),
            ("for=[2001:db8::1]:4711", "2001:db8::1"),
            ("for=192.0.2.1;", "192.0.2.1"),
        ] {
            assert_eq!(forwarded_for(element.as_bytes()), ip(read), "{element}");
        }
    }

    #[test]
    fn an_element_that_is_not_well_formed_is_not_read() {
        for element in [
            "",
            "for",
            "for=",
            "=192.0.2.1",
            "by=192.0.2.1",
            "for=unknown",
            "for=_hidden",
            r#"for="_hidden:80""#,
            "for=192.0.2.1;for=192.0.2.2",
            "for=192.0.2.1 ;proto=https",
            "for=192.0.2.1;proto",
            r#"for="192.0.2.1"#,
            r#"for=192.0.2.1""#,
            r#"for="192.0.2.1"x"#,
            r#"for="192.0.2.1\"#,
            r#"for=192.0.2.1;host=""#,
            r#"for=192.0.2.1;host=\"\""#,
            "192.0.2.1",
            r#"for="2001:db8::1""#,
        ] {
            assert_eq!(forwarded_for(element.as_bytes()), None, "{element}");
        }
    }
}

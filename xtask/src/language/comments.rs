//! Finds the line comments of Rust source text.

/// The kind of a line comment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `///`
    Outer,
    /// `//!`
    Inner,
    /// `//`
    Plain,
}

/// One line comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Comment<'a> {
    /// Counted from 1.
    pub(super) line: usize,
    pub(super) kind: Kind,
    /// The text after the marker and one space.
    pub(super) text: &'a str,
    /// The columns of the line before the text.
    pub(super) indent: usize,
}

/// Returns the line comments of a file in their order; `//` inside a string is none.
pub(super) fn comments(source: &str) -> Vec<Comment<'_>> {
    let bytes = source.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        at = match bytes[at] {
            b'/' if bytes.get(at + 1) == Some(&b'/') => {
                let end = source[at..].find('\n').map_or(bytes.len(), |len| at + len);
                found.push(comment(source, at, end));
                end
            }
            b'/' if bytes.get(at + 1) == Some(&b'*') => end_of_block(bytes, at),
            b'"' => end_of_string(bytes, at),
            b'r' if starts_a_token(bytes, at) => end_of_raw_string(source, at).unwrap_or(at + 1),
            b'\'' => end_of_quote(source, at),
            _ => at + 1,
        };
    }
    found
}

fn comment(source: &str, start: usize, end: usize) -> Comment<'_> {
    let text = &source[start..end];
    let (kind, marker) = if text.starts_with("///") && !text.starts_with("////") {
        (Kind::Outer, 3)
    } else if text.starts_with("//!") {
        (Kind::Inner, 3)
    } else {
        (Kind::Plain, 2)
    };
    let rest = &text[marker..];
    let text = rest.strip_prefix(' ').unwrap_or(rest).trim_end();
    let line_start = source[..start].rfind('\n').map_or(0, |newline| newline + 1);
    let indent = source[line_start..start].chars().count() + marker + 1;
    Comment {
        line: source[..start].matches('\n').count() + 1,
        kind,
        text,
        indent,
    }
}

/// Block comments nest.
fn end_of_block(bytes: &[u8], start: usize) -> usize {
    let (mut at, mut depth) = (start, 0_u32);
    while at < bytes.len() {
        match bytes[at..] {
            [b'/', b'*', ..] => (at, depth) = (at + 2, depth + 1),
            [b'*', b'/', ..] => (at, depth) = (at + 2, depth - 1),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn end_of_string(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while at < bytes.len() && bytes[at] != b'"' {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    at + 1
}

/// Returns whether no identifier that began earlier runs on here; `br` and `cr` begin strings too.
fn starts_a_token(bytes: &[u8], at: usize) -> bool {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    match bytes[..at] {
        [.., before, b'b' | b'c'] => !is_part(&before),
        [.., before] => !is_part(&before),
        [] => true,
    }
}

fn end_of_raw_string(source: &str, start: usize) -> Option<usize> {
    let rest = &source[start + 1..];
    let body = rest.trim_start_matches('#');
    let hashes = &rest[..rest.len() - body.len()];
    let close = format!("\"{hashes}");
    let len = body.strip_prefix('"')?.find(&close)?;
    Some(start + 1 + hashes.len() + 1 + len + close.len())
}

/// Returns the end of a character literal, or else of the mark that begins a lifetime.
fn end_of_quote(source: &str, start: usize) -> usize {
    let rest = &source[start + 1..];
    let mut chars = rest.char_indices();
    match (chars.next(), chars.next()) {
        (Some((_, '\\')), Some((escaped, character))) => {
            let after = escaped + character.len_utf8();
            let close = rest[after..].find('\'');
            close.map_or(source.len(), |close| start + 1 + after + close + 1)
        }
        (Some(_), Some((close, '\''))) => start + 1 + close + 1,
        _ => start + 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(source: &str) -> Vec<&str> {
        comments(source).iter().map(|found| found.text).collect()
    }

    #[test]
    fn kinds_lines_and_columns_are_found() {
        let found = comments("//! Head.\n\nfn a() {\n    b(); // Why.\n    /// Doc.\n}\n");
        let expected = [
            (1, Kind::Inner, "Head.", 4),
            (4, Kind::Plain, "Why.", 12),
            (5, Kind::Outer, "Doc.", 8),
        ];
        let found: Vec<_> = found
            .iter()
            .map(|found| (found.line, found.kind, found.text, found.indent))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn slashes_in_literals_are_no_comments() {
        let source = r####"
let a = "https://a \" // b";
let b = br#"// "c" "#; // one
let c = ('"', '\'', '/', b'\\'); // two
let d: &'static str = r"// d"; // three
/* // e /* // f */ // g */ // four
"####;
        assert_eq!(texts(source), ["one", "two", "three", "four"]);
    }

    #[test]
    fn raw_identifiers_and_names_that_end_in_r_are_no_strings() {
        assert_eq!(texts("r#type // one\nerr\"// \"// two"), ["one", "two"]);
    }
}

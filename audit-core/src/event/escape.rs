//! Escaping of characters that control a terminal or change the direction of text.

/// Splits a text at the characters to be escaped: each piece comes with the one behind it, if any.
pub(crate) fn pieces(text: &str) -> impl Iterator<Item = (&str, Option<char>)> {
    text.split_inclusive(is_control)
        .map(|piece| match piece.char_indices().next_back() {
            Some((at, last)) if is_control(last) => (&piece[..at], Some(last)),
            _ => (piece, None),
        })
}

/// Returns whether a character controls a terminal or changes the direction of text
/// ([UAX #9](https://www.unicode.org/reports/tr9/#Directional_Formatting_Characters)).
fn is_control(char: char) -> bool {
    char.is_control()
        || matches!(char, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

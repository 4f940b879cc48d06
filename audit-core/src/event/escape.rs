//! Escaping of characters that control a terminal or change the direction of text.

/// What stands between the characters that steer, each with the one behind it, which is to be
/// escaped.
pub(crate) fn pieces(text: &str) -> impl Iterator<Item = (&str, Option<char>)> {
    text.split_inclusive(steers)
        .map(|piece| match piece.char_indices().next_back() {
            Some((at, last)) if steers(last) => (&piece[..at], Some(last)),
            _ => (piece, None),
        })
}

/// Whether a character is a control character, or one that changes the direction of those around it
/// ([UAX #9](https://www.unicode.org/reports/tr9/#Directional_Formatting_Characters)).
fn steers(char: char) -> bool {
    char.is_control()
        || matches!(char, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

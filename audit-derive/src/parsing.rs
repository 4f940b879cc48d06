//! Parsers that all macros of this crate share.

use proc_macro2::TokenTree;
use syn::parse::ParseStream;
use syn::parse::discouraged::Speculative as _;
use syn::{LitStr, Token};

use crate::errors::Errors;

/// Items between commas. What is wrong in one is reported, and reading goes on behind the next
/// comma.
pub(crate) fn comma_separated(
    input: ParseStream<'_>,
    errors: &mut Errors,
    mut item: impl FnMut(ParseStream<'_>, &mut Errors) -> syn::Result<()>,
) {
    while !input.is_empty() {
        let result = item(input, errors).and_then(|()| {
            if input.is_empty() || input.peek(Token![,]) {
                return Ok(());
            }
            Err(input.error("expected `,`"))
        });
        if let Err(error) = result {
            errors.push(error);
            while !input.is_empty() && !input.peek(Token![,]) {
                // Where there is a token, a token tree parses.
                drop(input.parse::<TokenTree>());
            }
        }
        drop(input.parse::<Option<Token![,]>>());
    }
}

/// A string that is a whole argument. Nearly all are, and need no parser of expressions, which
/// costs the most of all that the attribute parses.
pub(crate) fn lone_string(input: ParseStream<'_>) -> Option<LitStr> {
    let ahead = input.fork();
    let literal = ahead.parse::<LitStr>().ok()?;
    let is_whole = ahead.is_empty() || ahead.peek(Token![,]);
    if !is_whole || !literal.suffix().is_empty() {
        return None;
    }
    input.advance_to(&ahead);
    Some(literal)
}

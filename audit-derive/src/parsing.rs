//! Parsers that all macros of this crate share.

use proc_macro2::TokenTree;
use syn::parse::ParseStream;
use syn::parse::discouraged::Speculative as _;
use syn::{LitStr, Token};

use crate::errors::Errors;

/// Parses items separated by commas.
///
/// After a mistake, which is reported, parsing resumes behind the next comma.
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
                // Any token parses as a token tree.
                drop(input.parse::<TokenTree>());
            }
        }
        drop(input.parse::<Option<Token![,]>>());
    }
}

/// Parses a string literal if it is the whole argument.
///
/// Nearly all arguments are, and do not need the expression parser, the most expensive part of
/// parsing an attribute.
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

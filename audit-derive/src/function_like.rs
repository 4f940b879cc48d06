//! What the macros that look like functions have in common: their first argument is the facade, as `$crate`.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::quote_spanned;

/// The facade that generated paths start with, and the arguments that the user wrote.
pub(crate) fn split(input: TokenStream) -> (TokenStream, TokenStream) {
    let mut input = input.into_iter();
    let facade = input
        .by_ref()
        .take_while(|token| !is_comma(token))
        .collect();
    (facade, input.collect())
}

fn is_comma(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == ',')
}

/// Makes cargo compile the crate again when a file changes, or the choice of the catalog.
pub(crate) fn watch<'a>(paths: impl IntoIterator<Item = &'a str>) -> TokenStream {
    let paths = paths.into_iter();
    quote_spanned! {Span::mixed_site()=>
        #(const _: &[::core::primitive::u8] = ::core::include_bytes!(#paths);)*
        const _: ::core::option::Option<&::core::primitive::str> = ::core::option_env!("AUDIT_CATALOG");
    }
}

//! Shared parts of the function-like macros, and the items that make cargo watch the catalog.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::quote_spanned;

/// Splits the input into the facade and the user's arguments.
///
/// The facade is the path that generated paths start with: `$crate` of the calling macro.
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

/// Makes cargo recompile the crate when a file or the choice of the catalog changes.
///
/// Returns `None` if the source file already contains the items for these paths. Once per source
/// file is enough, because a compiler process always compiles a whole crate; each repetition would
/// cost as much as checking a small function.
pub(crate) fn watch<'a>(paths: impl IntoIterator<Item = &'a str>) -> Option<TokenStream> {
    static WATCHED: Mutex<BTreeSet<(String, String)>> = Mutex::new(BTreeSet::new());

    // Outside the compiler, as in this crate's unit tests, there is no source file.
    if !proc_macro::is_available() {
        return None;
    }
    let file = proc_macro::Span::call_site().file();
    let mut watched = WATCHED.lock().unwrap_or_else(PoisonError::into_inner);
    let paths: Vec<_> = paths
        .into_iter()
        .filter(|path| watched.insert((file.clone(), (*path).to_owned())))
        .collect();
    (!paths.is_empty()).then(|| watch_items(&paths))
}

/// The items by which the compiler depends on the files and on the variable.
fn watch_items(paths: &[&str]) -> TokenStream {
    quote_spanned! {Span::mixed_site()=>
        #(const _: &[::core::primitive::u8] = ::core::include_bytes!(#paths);)*
        const _: ::core::option::Option<&::core::primitive::str> =
            ::core::option_env!("AUDIT_CATALOG");
    }
}

#[cfg(test)]
mod tests {
    use super::watch_items;
    use crate::snapshot::expands_to;

    #[test]
    fn the_files_and_the_variable_are_watched() {
        let items = watch_items(&["/project/audit.toml", "/project/audit.lock"]);
        expands_to("watched_files", &items.to_string());
    }
}

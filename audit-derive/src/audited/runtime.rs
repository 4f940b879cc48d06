//! The path that calls into the runtime start with.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, TokenStreamExt, quote_spanned};

/// `::audit_core::private`, by way of the facade.
///
/// It stands in an expansion many times, and is kept as single tokens: a finished stream in the
/// middle of another makes the compiler put both together, each time, while tokens are handed over
/// once.
pub(crate) struct Runtime(Vec<TokenTree>);

impl Runtime {
    /// The runtime behind the facade's path.
    pub(crate) fn of(facade: &impl ToTokens) -> Self {
        let path = quote_spanned!(Span::mixed_site()=> #facade::private);
        Self(path.into_iter().collect())
    }
}

impl ToTokens for Runtime {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.append_all(self.0.iter().cloned());
    }
}

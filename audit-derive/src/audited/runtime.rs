//! The path of the runtime, with which generated calls start.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, TokenStreamExt, quote_spanned};

/// The path of `audit_core::private`, through the facade.
///
/// An expansion contains it many times. It is kept as single tokens: splicing a stream into another
/// makes the compiler merge both each time, while single tokens are passed on once.
pub(crate) struct Runtime(Vec<TokenTree>);

impl Runtime {
    /// Creates the path from that of the facade.
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

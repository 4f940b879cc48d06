//! Wraps the user's body for type inference.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::quote_spanned;
use syn::Attribute;

use super::runtime::Runtime;
use super::signature::Returns;

/// Generates a `return` that is *never* executed.
///
/// It fixes the type of the block, so that inference inside it and errors about the result are the
/// same as in the function itself. It also mentions the arguments in `held`, which moves them into
/// the block.
pub(crate) fn return_type(
    returns: &Returns,
    held: &[(Vec<Attribute>, Ident)],
    runtime: &Runtime,
) -> TokenStream {
    let ours = Span::mixed_site();
    let value = match returns {
        Returns::Value(written) => {
            Some(quote_spanned!(ours=> #runtime::return_type_hint::<#written>()))
        }
        Returns::Unit | Returns::Never => None,
    };
    let on_purpose = (!held.is_empty()).then(|| {
        quote_spanned!(ours=> #[allow(clippy::used_underscore_binding, reason = "moves the argument into the body")])
    });
    let held = held
        .iter()
        .map(|(cfgs, name)| quote_spanned!(ours=> #(#cfgs)* #runtime::move_into_body(&#name);));
    quote_spanned! {ours=>
        #on_purpose
        if false {
            #(#held)*
            return #value;
        }
    }
}

/// Returns the body as a block of its own, so that its imports do not affect generated statements.
///
/// The block is the original group, which has the span of its closing brace. A single expression
/// gets generated braces at the same position, because the compiler would report hand-written ones
/// as unnecessary.
pub(crate) fn nested(body: Group) -> Group {
    let has_statement = body
        .stream()
        .into_iter()
        .any(|token| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ';'));
    if has_statement {
        return body;
    }
    braces(body.stream(), Span::mixed_site().located_at(body.span()))
}

/// Wraps the content in braces at `span`.
pub(crate) fn braces(content: TokenStream, span: Span) -> Group {
    let mut group = Group::new(Delimiter::Brace, content);
    group.set_span(span);
    group
}

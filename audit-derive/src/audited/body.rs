//! The body in its block, and what stands before it there.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::quote_spanned;
use syn::Attribute;

use super::runtime::Runtime;
use super::signature::Returns;

/// A `return` that never runs. It tells the compiler the type of the block, so that inference
/// inside and errors about the result are what they would be in the function itself. And it names
/// what the block takes along.
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
        quote_spanned!(ours=> #[allow(clippy::used_underscore_binding, reason = "takes the argument along")])
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

/// The body as a block of its own, because what it imports must not change what our statements
/// mean.
///
/// The very group that came in, which knows where its closing brace stands, unless it may be a
/// single expression: in braces that look hand-written the compiler would find that one not needed.
/// These stand where the user's stood, but count as generated.
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

/// The content in braces that stand at `span`.
pub(crate) fn braces(content: TokenStream, span: Span) -> Group {
    let mut group = Group::new(Delimiter::Brace, content);
    group.set_span(span);
    group
}

//! The function under the attribute: its signature, the names it binds, and its body as raw tokens.

use proc_macro2::{Group, Span, TokenStream};
use quote::quote;
use syn::spanned::Spanned;
use syn::visit_mut::{self, VisitMut};
use syn::{Attribute, FnArg, Ident, Receiver, ReturnType, Signature, Type};

use super::async_trait::{self, Unfolded};
use super::bindings::{Binding, Mutable, bindings, take_mutable};
use super::future::{self, Wrap, plain};
use crate::function::{self, Whole};

/// A function that can be audited.
pub(crate) struct Function {
    /// Everything before the body, as it was written, but for the `mut` of [`Function::mutable`].
    pub(crate) head: TokenStream,
    pub(crate) kind: Kind,
    /// Where the compiler shows that the body's value is missing or wrong: at the return type, or
    /// the name if there is none.
    pub(crate) output: Span,
    /// What the operation gives: of a function that returns a future, what the future gives.
    pub(crate) returns: Returns,
    /// The attributes at the start of the body, which must stay first in it.
    pub(crate) inner_attributes: TokenStream,
    /// The body in its braces, without the inner attributes. It is never parsed: that is faster,
    /// and an editor that expands while somebody types gets unfinished code back as it was.
    pub(crate) body: Group,
    pub(crate) bindings: Vec<Binding>,
    /// `mut` parameters, to be bound again inside the body. There they may hold a borrow of what
    /// the body owns; a variable that the body only captured may not.
    pub(crate) mutable: Vec<Mutable>,
    /// Arguments that the body may leave alone: names that begin with `_`, and a `self` by value.
    /// The body takes them along, so that they are dropped before the event closes.
    pub(crate) held: Vec<(Vec<Attribute>, Ident)>,
}

/// When the body runs.
pub(crate) enum Kind {
    /// At the call.
    Sync,
    /// When the future is polled.
    Async,
    /// At the call, where it makes a future.
    Future {
        wrap: Wrap,
        /// The return type of the function.
        written: Returns,
    },
    /// When the future is polled that `#[async_trait]` has made of it.
    AsyncTrait(Unfolded),
}

/// What the function returns.
pub(crate) enum Returns {
    /// No type is written.
    Unit,
    /// `!`
    Never,
    /// The type, with `_` wherever it says `impl Trait`.
    Value(Box<Type>),
}

/// Reads the function.
///
/// # Errors
/// When the item is no function, or one that cannot be audited.
pub(crate) fn parse(item: TokenStream) -> syn::Result<Function> {
    let Whole {
        head,
        attributes,
        visibility,
        mut signature,
        inner_attributes,
        body,
    } = function::split(item, "audited")?;
    if let Some(other) = function::named(&attributes, "unaudited") {
        return Err(syn::Error::new(
            other.span(),
            "`#[audited]` and `#[unaudited]` on one function; keep the one that is meant",
        ));
    }
    if let Some(constness) = &signature.constness {
        return Err(syn::Error::new(
            constness.span(),
            "a `const fn` cannot be audited: it may run while the program is compiled, when nothing can be recorded",
        ));
    }
    let mut mutable: Vec<_> = signature.inputs.iter_mut().flat_map(take_mutable).collect();
    let head = if mutable.is_empty() {
        head
    } else {
        quote!(#(#attributes)* #visibility #signature)
    };
    let mut bindings = signature.inputs.iter().flat_map(bindings).collect();
    let written = returns(&signature.output);
    let (kind, returns) = match future::returned(&signature, &body) {
        None if signature.asyncness.is_some() => (Kind::Async, written),
        None => (Kind::Sync, written),
        Some(future) => {
            let returns = match future.output {
                Some(output) => of_type(&output),
                None => Returns::Value(Box::new(inferred(body.span()))),
            };
            let kind = match async_trait::unfold(&signature, &body, &mut bindings, &mut mutable) {
                Some(unfolded) => Kind::AsyncTrait(unfolded),
                None => Kind::Future {
                    wrap: future.wrap,
                    written,
                },
            };
            (kind, returns)
        }
    };
    let output = match &signature.output {
        ReturnType::Default => signature.ident.span(),
        ReturnType::Type(_, written) => written.span(),
    };
    Ok(Function {
        output,
        held: held(&signature, &bindings),
        mutable,
        head,
        kind,
        returns,
        inner_attributes,
        body,
        bindings,
    })
}

/// The arguments that the body may leave alone, with the `#[cfg(..)]` of each.
fn held(signature: &Signature, bindings: &[Binding]) -> Vec<(Vec<Attribute>, Ident)> {
    let by_value = |input: &FnArg| match input {
        FnArg::Receiver(receiver) => is_by_value(receiver),
        FnArg::Typed(_) => false,
    };
    let has_value = signature.inputs.iter().any(by_value);
    bindings
        .iter()
        .filter(|binding| binding.is_unused_on_purpose() || has_value && binding.is_receiver())
        .map(|Binding { ident, cfgs, .. }| (cfgs.clone(), ident.clone()))
        .collect()
}

fn is_by_value(receiver: &Receiver) -> bool {
    match &receiver.kind {
        syn::ReceiverKind::Value => true,
        syn::ReceiverKind::Typed(_, written) => !matches!(plain(written), Type::Reference(_)),
        _ => false,
    }
}

fn returns(output: &ReturnType) -> Returns {
    match output {
        ReturnType::Default => Returns::Unit,
        ReturnType::Type(_, written) => of_type(written),
    }
}

fn of_type(written: &Type) -> Returns {
    struct ImplToInfer;
    impl VisitMut for ImplToInfer {
        fn visit_type_mut(&mut self, node: &mut Type) {
            if let Type::ImplTrait(found) = node {
                *node = inferred(found.impl_token.span());
            } else {
                visit_mut::visit_type_mut(self, node);
            }
        }
    }
    if matches!(plain(written), Type::Never(_)) {
        return Returns::Never;
    }
    let mut written = written.clone();
    ImplToInfer.visit_type_mut(&mut written);
    Returns::Value(Box::new(written))
}

/// `_`
fn inferred(span: Span) -> Type {
    Type::Infer(syn::TypeInfer {
        attrs: Vec::new(),
        underscore_token: syn::Token![_](span),
    })
}

#[cfg(test)]
mod tests {
    use proc_macro2::{Delimiter, TokenTree};
    use quote::ToTokens;

    use super::*;

    fn error(item: TokenStream) -> String {
        parse(item).err().unwrap().to_string()
    }

    fn returned(output: TokenStream) -> String {
        match parse(quote!(async fn f() #output {})).ok().unwrap().returns {
            Returns::Unit => "unit".to_owned(),
            Returns::Never => "never".to_owned(),
            Returns::Value(written) => written.to_token_stream().to_string().replace(' ', ""),
        }
    }

    #[test]
    fn every_shape_of_signature_is_read() {
        for item in [
            quote!(
                pub(in a::b) async unsafe fn f<'a, T: ?Sized, const N: usize>(x: [&'a T; N]) -> R
                where
                    for<'b> T: B<'b>,
                {
                }
            ),
            quote!(
                pub extern "C" fn f(a: u8) {}
            ),
            quote!(
                #[doc = "x"]
                #[inline]
                fn f(g: impl Fn(&str) -> R) -> impl Iterator<Item = u8> + use<> {}
            ),
            quote!(
                fn f(self: Pin<&mut Self>) -> Result<Box<dyn Tr + Send>, E> {}
            ),
            quote!(fn f() { this is no Rust @ all }),
        ] {
            assert!(parse(item.clone()).is_ok(), "{item}");
        }
    }

    #[test]
    fn a_block_from_a_macro_is_unwrapped() {
        let block = TokenTree::Group(Group::new(Delimiter::None, quote!({ 1 })));
        assert_eq!(
            parse(quote!(fn f() -> u8 #block))
                .ok()
                .unwrap()
                .body
                .to_string(),
            quote!({ 1 }).to_string()
        );
    }

    #[test]
    fn inner_attributes_are_taken_off_the_body() {
        let function = parse(quote!(
            fn f() {
                #![allow(x)]
                #![doc = "y"]
                #[z]
                let a = 1;
            }
        ))
        .ok()
        .unwrap();
        assert_eq!(
            function.inner_attributes.to_string(),
            quote!(#![allow(x)] #![doc = "y"]).to_string()
        );
        assert_eq!(
            function.body.to_string(),
            quote!({
                #[z]
                let a = 1;
            })
            .to_string()
        );
    }

    #[test]
    fn impl_trait_is_inferred_wherever_it_stands() {
        assert_eq!(returned(quote!()), "unit");
        assert_eq!(returned(quote!(-> !)), "never");
        assert_eq!(returned(quote!(-> (!))), "never");
        assert_eq!(returned(quote!(-> impl A + 'a)), "_");
        assert_eq!(
            returned(quote!(-> Result<(impl A, Vec<impl B>), E>)),
            "Result<(_,Vec<_>),E>"
        );
        assert_eq!(
            returned(quote!(-> Option<&'a mut [impl A]>)),
            "Option<&'amut[_]>"
        );
        assert_eq!(
            returned(quote!(-> Box<dyn Fn(u8) -> R>)),
            "Box<dynFn(u8)->R>"
        );
    }

    #[test]
    fn what_cannot_be_audited_says_why() {
        assert!(
            error(quote!(
                struct S {
                    a: u8,
                }
            ))
            .contains("not on a `struct`")
        );
        assert!(
            error(quote!(
                pub impl S {}
            ))
            .contains("not on a `impl`")
        );
        assert!(
            error(quote!(
                pub const fn f() {}
            ))
            .contains("`const fn`")
        );
        assert!(
            error(quote!(
                async fn f(&self) -> R;
            ))
            .contains("with a body")
        );
    }
}

//! The function under the attribute: its signature, the names it binds, and its body as raw tokens.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::quote;
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::visit_mut::{self, VisitMut};
use syn::{
    Attribute, GenericArgument, Ident, PathArguments, ReturnType, Signature, Type, TypeParamBound,
    Visibility,
};

use super::bindings::{Binding, bindings, take_mutable};

/// A function that can be audited.
pub(crate) struct Function {
    /// Everything before the body, as it was written, but for the `mut` of [`Function::mutable`].
    pub(crate) head: TokenStream,
    pub(crate) is_async: bool,
    pub(crate) returns: Returns,
    /// The attributes at the start of the body, which must stay first in it.
    pub(crate) inner_attributes: TokenStream,
    /// The body in its braces, without the inner attributes. It is never parsed: that is faster, and an editor that expands
    /// while somebody types gets unfinished code back as it was.
    pub(crate) body: Group,
    pub(crate) bindings: Vec<Binding>,
    /// `mut` parameters, to be bound again inside the body. There they may hold a borrow of what the body owns; a variable
    /// that the body only captured may not.
    pub(crate) mutable: Vec<TokenStream>,
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
    let mut head: Vec<TokenTree> = item.into_iter().collect();
    let last = head.pop();
    let body = last.as_ref().and_then(as_block);
    if body.is_none() {
        head.extend(last);
    }
    if let Some(word) = other_item(&head) {
        return Err(syn::Error::new(
            word.span(),
            format!("`#[audited]` goes on a function, not on a `{word}`"),
        ));
    }
    let head: TokenStream = head.into_iter().collect();
    let (attributes, visibility, mut signature) = (|input: ParseStream<'_>| {
        let attributes = Attribute::parse_outer(input)?;
        let visibility: Visibility = input.parse()?;
        let signature: Signature = input.parse()?;
        // What is left belongs to the error below: `;` where a body should be.
        input.parse::<TokenStream>()?;
        Ok((attributes, visibility, signature))
    })
    .parse2(head.clone())?;
    let Some(body) = body else {
        return Err(syn::Error::new(
            signature.ident.span(),
            "`#[audited]` needs a function with a body; a declaration in a trait has none, so put it on the functions of the `impl` blocks",
        ));
    };
    if let Some(constness) = &signature.constness {
        return Err(syn::Error::new(
            constness.span(),
            "a `const fn` cannot be audited: it may run while the program is compiled, when nothing can be recorded",
        ));
    }
    if let Some(span) = future(&signature) {
        return Err(syn::Error::new(
            span,
            "`#[audited]` cannot yet follow a future that a function returns; the event would say how the call went, not the \
             operation. Write `async fn`, or move `#[audited]` to the function that awaits this one",
        ));
    }
    let (inner_attributes, body) = split_inner_attributes(body);
    let mutable: Vec<_> = signature.inputs.iter_mut().flat_map(take_mutable).collect();
    let head = if mutable.is_empty() {
        head
    } else {
        quote!(#(#attributes)* #visibility #signature)
    };
    Ok(Function {
        mutable,
        head,
        is_async: signature.asyncness.is_some(),
        returns: returns(&signature.output),
        inner_attributes,
        body,
        bindings: signature.inputs.iter().flat_map(bindings).collect(),
    })
}

/// A block, also when a `macro_rules!` macro passed it on in invisible delimiters.
fn as_block(token: &TokenTree) -> Option<Group> {
    let TokenTree::Group(group) = token else {
        return None;
    };
    match group.delimiter() {
        Delimiter::Brace => Some(group.clone()),
        Delimiter::None => {
            let mut inner = group.stream().into_iter();
            let only = inner.next()?;
            if inner.next().is_some() {
                None
            } else {
                as_block(&only)
            }
        }
        _ => None,
    }
}

/// The keyword of an item that is no function.
fn other_item(head: &[TokenTree]) -> Option<Ident> {
    const WORDS: [&str; 11] = [
        "struct",
        "enum",
        "union",
        "mod",
        "trait",
        "impl",
        "type",
        "static",
        "use",
        "macro_rules",
        "macro",
    ];
    let mut idents = head.iter().filter_map(|token| match token {
        TokenTree::Ident(ident) => Some(ident),
        _ => None,
    });
    let first = idents.find(|ident| *ident == "fn" || WORDS.iter().any(|word| *ident == word))?;
    if first == "fn" {
        None
    } else {
        Some(first.clone())
    }
}

fn split_inner_attributes(body: Group) -> (TokenStream, Group) {
    let mut rest: Vec<TokenTree> = body.stream().into_iter().collect();
    let mut end = 0;
    while let [
        TokenTree::Punct(hash),
        TokenTree::Punct(bang),
        TokenTree::Group(_),
        ..,
    ] = &rest[end..]
        && hash.as_char() == '#'
        && bang.as_char() == '!'
    {
        end += 3;
    }
    if end == 0 {
        // The very same group: a new one would lose where its closing brace stands.
        return (TokenStream::new(), body);
    }
    let attributes: TokenStream = rest.drain(..end).collect();
    let mut without = Group::new(Delimiter::Brace, rest.into_iter().collect());
    without.set_span(body.span());
    (attributes, without)
}

fn returns(output: &ReturnType) -> Returns {
    struct ImplToInfer;
    impl VisitMut for ImplToInfer {
        fn visit_type_mut(&mut self, node: &mut Type) {
            if let Type::ImplTrait(found) = node {
                let underscore = syn::Token![_](found.impl_token.span());
                *node = Type::Infer(syn::TypeInfer {
                    attrs: Vec::new(),
                    underscore_token: underscore,
                });
            } else {
                visit_mut::visit_type_mut(self, node);
            }
        }
    }
    let ReturnType::Type(_, written) = output else {
        return Returns::Unit;
    };
    if matches!(plain(written), Type::Never(_)) {
        return Returns::Never;
    }
    let mut written = written.clone();
    ImplToInfer.visit_type_mut(&mut written);
    Returns::Value(written)
}

/// A type without parentheses and invisible delimiters around it.
fn plain(mut written: &Type) -> &Type {
    loop {
        written = match written {
            Type::Paren(inner) => &inner.elem,
            Type::Group(inner) => &inner.elem,
            _ => return written,
        };
    }
}

/// Where the return type of a function that is not async says that it returns a future.
fn future(signature: &Signature) -> Option<Span> {
    let ReturnType::Type(_, written) = &signature.output else {
        return None;
    };
    if signature.asyncness.is_some() {
        return None;
    }
    let is_future = |bounds: &Punctuated<TypeParamBound, syn::Token![+]>| {
        bounds.iter().any(|bound| matches!(bound, TypeParamBound::Trait(bound) if ends_with(&bound.path, &["Future"])))
    };
    let found = match plain(written) {
        Type::ImplTrait(written) => is_future(&written.bounds),
        Type::Path(written) if ends_with(&written.path, &["BoxFuture", "LocalBoxFuture"]) => true,
        Type::Path(written) if ends_with(&written.path, &["Pin"]) => {
            let boxed = type_argument(&written.path)?;
            let Type::Path(boxed) = plain(boxed) else {
                return None;
            };
            let inner = type_argument(&boxed.path)?;
            matches!(plain(inner), Type::TraitObject(object) if is_future(&object.bounds))
        }
        _ => false,
    };
    found.then(|| written.span())
}

fn ends_with(path: &syn::Path, names: &[&str]) -> bool {
    path.segments
        .last()
        .is_some_and(|segment| names.iter().any(|name| segment.ident == name))
}

fn type_argument(path: &syn::Path) -> Option<&Type> {
    let PathArguments::AngleBracketed(arguments) = &path.segments.last()?.arguments else {
        return None;
    };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(found) => Some(found),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
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
        for future in [
            quote!(impl Future<Output = R> + Send),
            quote!(Pin<Box<dyn Future<Output = R> + Send + 'a>>),
            quote!(::core::pin::Pin<::std::boxed::Box<dyn ::core::future::Future<Output = R>>>),
            quote!(BoxFuture<'a, R>),
        ] {
            assert!(
                error(quote!(fn f() -> #future {})).contains("future"),
                "{future}"
            );
        }
    }
}

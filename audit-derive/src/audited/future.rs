//! Recognizes functions that are not async and return a future: by the return type in the source,
//! or by the end of the body.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use syn::punctuated::Punctuated;
use syn::{GenericArgument, PathArguments, ReturnType, Signature, Type, TypeParamBound};

/// The wrapper of a returned future.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrap {
    /// `impl Future`
    Bare,
    /// `Box<dyn Future + Unpin>`
    Boxed,
    /// `Pin<Box<dyn Future>>`, and its aliases in `futures`.
    Pinned,
}

/// The future returned by a function.
pub(crate) struct Returned {
    pub(crate) wrap: Wrap,
    /// The output type, if the return type contains it.
    pub(crate) output: Option<Type>,
}

/// Returns the future of a function that returns one.
pub(crate) fn returned(signature: &Signature, body: &Group) -> Option<Returned> {
    let ReturnType::Type(_, written) = &signature.output else {
        return None;
    };
    if signature.asyncness.is_some() {
        return None;
    }
    let written = plain(written);
    by_type(written).or_else(|| {
        // `Self::Future`, or an alias: a boxed async block must be of such a type.
        (matches!(written, Type::Path(_)) && ends_with_boxed_block(body.stream())).then_some(
            Returned {
                wrap: Wrap::Pinned,
                output: None,
            },
        )
    })
}

fn by_type(written: &Type) -> Option<Returned> {
    let future = |wrap, output| Some(Returned { wrap, output });
    let path = match written {
        Type::ImplTrait(written) => return future(Wrap::Bare, future_output(&written.bounds)?),
        Type::Path(written) => &written.path,
        _ => return None,
    };
    let name = &path.segments.last()?.ident;
    if name == "BoxFuture" || name == "LocalBoxFuture" {
        future(Wrap::Pinned, type_argument(path).cloned())
    } else if name == "Pin" {
        let Type::Path(boxed) = plain(type_argument(path)?) else {
            return None;
        };
        future(Wrap::Pinned, boxed_output(&boxed.path)?)
    } else {
        future(Wrap::Boxed, boxed_output(path)?)
    }
}

/// Returns the output type of the future in a `Box`; `None` if it is not a boxed future.
fn boxed_output(path: &syn::Path) -> Option<Option<Type>> {
    if path.segments.last()?.ident != "Box" {
        return None;
    }
    match plain(type_argument(path)?) {
        Type::TraitObject(object) => future_output(&object.bounds),
        Type::ImplTrait(object) => future_output(&object.bounds),
        _ => None,
    }
}

/// Returns the output type of the `Future` bound; `None` if there is no such bound.
fn future_output(bounds: &Punctuated<TypeParamBound, syn::Token![+]>) -> Option<Option<Type>> {
    bounds.iter().find_map(|bound| {
        let TypeParamBound::Trait(bound) = bound else {
            return None;
        };
        let last = bound.path.segments.last()?;
        if last.ident != "Future" {
            return None;
        }
        let PathArguments::AngleBracketed(arguments) = &last.arguments else {
            return Some(None);
        };
        Some(arguments.args.iter().find_map(|argument| match argument {
            GenericArgument::AssocType(found) if found.ident == "Output" => Some(found.ty.clone()),
            _ => None,
        }))
    })
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

/// Removes parentheses and invisible delimiters around a type.
pub(crate) fn plain(mut written: &Type) -> &Type {
    loop {
        written = match written {
            Type::Paren(inner) => &inner.elem,
            Type::Group(inner) => &inner.elem,
            _ => return written,
        };
    }
}

/// Returns `true` if the last expression is `Box::pin(async ..)`, `async {..}.boxed()` or
/// `async {..}.boxed_local()`.
fn ends_with_boxed_block(body: TokenStream) -> bool {
    let tokens: Vec<_> = body.into_iter().collect();
    let [before @ .., TokenTree::Group(arguments)] = &tokens[..] else {
        return false;
    };
    if arguments.delimiter() != Delimiter::Parenthesis {
        return false;
    }
    match before {
        [.., name, colon, other, pin]
            if is_ident(name, "Box")
                && is_punct(colon, ':')
                && is_punct(other, ':')
                && is_ident(pin, "pin") =>
        {
            arguments
                .stream()
                .into_iter()
                .next()
                .is_some_and(|first| is_ident(&first, "async"))
        }
        [rest @ .., TokenTree::Group(block), dot, method]
            if is_punct(dot, '.')
                && (is_ident(method, "boxed") || is_ident(method, "boxed_local")) =>
        {
            let word = match rest {
                [.., word, capture] if is_ident(capture, "move") => Some(word),
                rest => rest.last(),
            };
            block.delimiter() == Delimiter::Brace
                && word.is_some_and(|word| is_ident(word, "async"))
        }
        _ => false,
    }
}

pub(crate) fn is_ident(token: &TokenTree, name: &str) -> bool {
    matches!(token, TokenTree::Ident(ident) if ident == name)
}

pub(crate) fn is_punct(token: &TokenTree, char: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == char)
}

#[cfg(test)]
mod tests {
    use quote::{ToTokens, quote};

    use super::*;

    fn found(item: TokenStream) -> Option<(Wrap, String)> {
        let function: syn::ItemFn = syn::parse2(item).unwrap();
        let body = Group::new(Delimiter::Brace, {
            let block = function.block;
            block.stmts.iter().map(ToTokens::to_token_stream).collect()
        });
        let returned = returned(&function.sig, &body)?;
        let output = returned
            .output
            .map(|output| output.to_token_stream().to_string());
        Some((returned.wrap, output.unwrap_or_default()))
    }

    #[test]
    fn a_future_is_recognized_by_the_written_type() {
        for (written, wrap) in [
            (quote!(impl Future<Output = R> + Send), Wrap::Bare),
            (
                quote!(impl Send + ::core::future::Future<Output = R> + use<'a>),
                Wrap::Bare,
            ),
            (
                quote!(Pin<Box<dyn Future<Output = R> + Send + 'a>>),
                Wrap::Pinned,
            ),
            (
                quote!(::core::pin::Pin<::std::boxed::Box<dyn Future<Output = R>>>),
                Wrap::Pinned,
            ),
            (quote!(Pin<Box<impl Future<Output = R>>>), Wrap::Pinned),
            (quote!(BoxFuture<'a, R>), Wrap::Pinned),
            (quote!(futures::future::LocalBoxFuture<'_, R>), Wrap::Pinned),
            (quote!((Box<dyn Future<Output = R> + Unpin>)), Wrap::Boxed),
        ] {
            assert_eq!(
                found(quote!(fn f() -> #written {})),
                Some((wrap, "R".to_owned())),
                "{written}"
            );
        }
    }

    #[test]
    fn a_future_behind_an_alias_is_recognized_by_the_end_of_the_body() {
        for body in [
            quote!(Box::pin(async move { 1 })),
            quote!(let a = 1; std::boxed::Box::pin(async { a })),
            quote!(async move { 1 }.boxed()),
            quote!(async { 1 }.boxed_local()),
        ] {
            let pinned = Some((Wrap::Pinned, String::new()));
            assert_eq!(
                found(quote!(fn f() -> Self::Future { #body })),
                pinned,
                "{body}"
            );
        }
    }

    #[test]
    fn anything_else_is_a_value() {
        for item in [
            quote!(
                async fn f() -> BoxFuture<'static, R> {}
            ),
            quote!(
                fn f() {}
            ),
            quote!(
                fn f() -> Result<BoxFuture<'static, R>, E> {}
            ),
            quote!(
                fn f() -> impl Iterator<Item = R> {}
            ),
            quote!(
                fn f() -> Pin<Box<dyn Stream<Item = R>>> {}
            ),
            quote!(
                fn f() -> Pin<&mut T> {}
            ),
            quote!(
                fn f() -> Boxed {
                    stream.boxed()
                }
            ),
            quote!(
                fn f() -> Boxed {
                    Box::pin(make())
                }
            ),
            quote!(
                fn f() -> Boxed {
                    Box::pin(async {});
                }
            ),
            quote!(
                fn f() -> &'static Boxed {
                    Box::pin(async {})
                }
            ),
        ] {
            assert_eq!(found(item.clone()), None, "{item}");
        }
    }
}

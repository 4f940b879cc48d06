//! The function under the attribute: its signature, the names it binds, and its body as raw tokens.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::visit_mut::{self, VisitMut};
use syn::{
    Attribute, FnArg, GenericArgument, Ident, Pat, PathArguments, ReturnType, Signature, Type,
    TypeParamBound, Visibility,
};

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

/// A name that the parameters bind.
pub(crate) struct Binding {
    /// The name as it stands in the signature, whose hygiene decides what it refers to.
    pub(crate) ident: Ident,
    /// The `#[cfg(..)]` of its parameter, which the compiler has not looked at yet.
    pub(crate) cfgs: Vec<Attribute>,
}

impl Binding {
    /// The name without `r#`.
    pub(crate) fn name(&self) -> String {
        self.ident.unraw().to_string()
    }
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

/// Takes the `mut` off the names that a parameter binds by value, and gives the statements that bind them again.
fn take_mutable(argument: &mut FnArg) -> Vec<TokenStream> {
    struct TakeMut(Vec<(syn::Token![mut], Ident)>);
    impl VisitMut for TakeMut {
        fn visit_pat_ident_mut(&mut self, node: &mut syn::PatIdent) {
            if node.by_ref.is_none()
                && let Some(mutability) = node.mutability.take()
            {
                self.0.push((mutability, node.ident.clone()));
            }
            visit_mut::visit_pat_ident_mut(self, node);
        }
    }
    // `self` cannot be bound again; it stays as it is.
    let FnArg::Typed(typed) = argument else {
        return Vec::new();
    };
    let mut taken = TakeMut(Vec::new());
    taken.visit_pat_mut(&mut typed.pat);
    let cfgs = cfgs(&typed.attrs);
    let again = |(mutability, ident)| {
        // The name and its `mut` are the user's, so that lints about them are shown where they stand.
        let is = quote_spanned!(Span::mixed_site()=> = #ident;);
        quote_spanned!(Span::mixed_site()=> #(#cfgs)* let #mutability #ident #is)
    };
    taken.0.into_iter().map(again).collect()
}

fn cfgs(attributes: &[Attribute]) -> Vec<Attribute> {
    attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("cfg"))
        .cloned()
        .collect()
}

fn bindings(argument: &FnArg) -> Vec<Binding> {
    let mut idents = Vec::new();
    let attributes = match argument {
        FnArg::Receiver(receiver) => {
            idents.push(Ident::new("self", receiver.self_token.span()));
            &receiver.attrs
        }
        FnArg::Typed(typed) => {
            collect(&typed.pat, &mut idents);
            &typed.attrs
        }
    };
    let cfgs = cfgs(attributes);
    idents
        .into_iter()
        .map(|ident| Binding {
            ident,
            cfgs: cfgs.clone(),
        })
        .collect()
}

fn collect(pattern: &Pat, idents: &mut Vec<Ident>) {
    match pattern {
        Pat::Ident(found) => {
            idents.push(found.ident.clone());
            if let Some((_, inner)) = &found.subpat {
                collect(inner, idents);
            }
        }
        Pat::Paren(inner) => collect(&inner.pat, idents),
        Pat::Reference(inner) => collect(&inner.pat, idents),
        Pat::Type(inner) => collect(&inner.pat, idents),
        Pat::Slice(inner) => inner
            .elems
            .iter()
            .for_each(|pattern| collect(pattern, idents)),
        Pat::Tuple(inner) => inner
            .elems
            .iter()
            .for_each(|pattern| collect(pattern, idents)),
        Pat::TupleStruct(inner) => inner
            .elems
            .iter()
            .for_each(|pattern| collect(pattern, idents)),
        Pat::Struct(inner) => inner
            .fields
            .iter()
            .for_each(|field| collect(&field.pat, idents)),
        // All alternatives bind the same names.
        Pat::Or(inner) => inner
            .cases
            .first()
            .into_iter()
            .for_each(|pattern| collect(pattern, idents)),
        // A pattern in invisible delimiters, and what this version of syn does not know, arrives as tokens.
        Pat::Verbatim(tokens) => {
            if let Ok(inner) = Pat::parse_single.parse2(tokens.to_token_stream())
                && !matches!(inner, Pat::Verbatim(_))
            {
                collect(&inner, idents);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(item: TokenStream) -> String {
        let function = parse(item).ok().unwrap();
        function
            .bindings
            .iter()
            .map(Binding::name)
            .collect::<Vec<_>>()
            .join(" ")
    }

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
    fn names_are_found_inside_patterns() {
        assert_eq!(
            names(quote!(
                fn f(a: A, mut b: B, _c: C, _: D, r#type: E) {}
            )),
            "a b _c type"
        );
        assert_eq!(
            names(quote!(
                fn f(Path(a): Path<A>, Path((b, c)): Path<(B, C)>) {}
            )),
            "a b c"
        );
        assert_eq!(
            names(quote!(
                fn f(
                    Json(Body {
                        a,
                        b: ref x,
                        c: Inner(d),
                        ..
                    }): Json<Body>,
                ) {
                }
            )),
            "a x d"
        );
        assert_eq!(
            names(quote!(
                fn f(&(a, b): &(u8, u8), [c, .., d]: [u8; 4], ref e: E, g @ H { i, .. }: H) {}
            )),
            "a b c d e g i"
        );
        assert_eq!(
            names(quote!(
                fn f(&mut self, (a): A) {}
            )),
            "self a"
        );
        assert_eq!(
            names(quote!(
                fn f(self: Arc<Self>, (A(a) | B(a)): X) {}
            )),
            "self a"
        );
    }

    #[test]
    fn the_cfg_of_a_parameter_stays_with_its_names() {
        let function = parse(quote!(
            fn f(
                #[cfg(any())]
                #[other]
                (a, b): A,
                c: C,
            ) {
            }
        ))
        .ok()
        .unwrap();
        let cfgs: Vec<_> = function
            .bindings
            .iter()
            .map(|binding| binding.cfgs.len())
            .collect();
        assert_eq!(cfgs, [1, 1, 0]);
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
    fn mutable_parameters_are_bound_again() {
        let function = parse(quote!(
            #[a]
            pub fn f(mut self, mut a: A, (b, mut c): B, ref mut d: D, #[cfg(x)] mut e: E) {}
        ))
        .ok()
        .unwrap();
        let again: TokenStream = function.mutable.into_iter().collect();
        assert_eq!(
            again.to_string(),
            quote!(let mut a = a; let mut c = c; #[cfg(x)] let mut e = e;).to_string()
        );
        let head = quote!(#[a] pub fn f(mut self, a: A, (b, c): B, ref mut d: D, #[cfg(x)] e: E));
        assert_eq!(function.head.to_string(), head.to_string());
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

//! Finds the names that parameters bind, and moves their `mut` into the body.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::ext::IdentExt;
use syn::parse::Parser;
use syn::visit_mut::{self, VisitMut};
use syn::{Attribute, FnArg, Ident, Pat};

/// A name bound by the parameters.
pub(crate) struct Binding {
    /// The identifier in the function, whose hygiene determines the variable.
    pub(crate) ident: Ident,
    /// The `#[cfg(..)]` of its parameter, which the compiler has not evaluated yet.
    pub(crate) cfgs: Vec<Attribute>,
    /// `true` for `self`, which may have another identifier here.
    is_receiver: bool,
}

impl Binding {
    pub(crate) fn new(ident: Ident, cfgs: Vec<Attribute>) -> Self {
        Self {
            ident,
            cfgs,
            is_receiver: false,
        }
    }

    pub(crate) fn receiver(ident: Ident, cfgs: Vec<Attribute>) -> Self {
        Self {
            ident,
            cfgs,
            is_receiver: true,
        }
    }

    /// Returns the name without `r#`.
    pub(crate) fn name(&self) -> String {
        if self.is_receiver {
            return "self".to_owned();
        }
        self.ident.unraw().to_string()
    }

    pub(crate) fn is_receiver(&self) -> bool {
        self.is_receiver
    }

    /// Returns `true` if the compiler does not warn when the body does not use it.
    pub(crate) fn is_unused_on_purpose(&self) -> bool {
        !self.is_receiver && self.ident.to_string().starts_with('_')
    }
}

/// A name that a parameter binds by value and as `mut`.
pub(crate) struct Mutable {
    pub(crate) ident: Ident,
    /// `let mut name = name;`
    again: TokenStream,
}

impl ToTokens for Mutable {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.again.to_tokens(tokens);
    }
}

/// Removes the `mut` from names that a parameter binds by value, and returns statements that rebind
/// them as `mut`.
pub(crate) fn take_mutable(argument: &mut FnArg) -> Vec<Mutable> {
    // `self` cannot be rebound and stays unchanged.
    let FnArg::Typed(typed) = argument else {
        return Vec::new();
    };
    let cfgs = cfgs(&typed.attrs);
    take_mut(&mut typed.pat, &cfgs)
}

/// [`take_mutable`] for a pattern.
pub(crate) fn take_mut(pattern: &mut Pat, cfgs: &[Attribute]) -> Vec<Mutable> {
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
    let mut taken = TakeMut(Vec::new());
    taken.visit_pat_mut(pattern);
    let again = |(mutability, ident): (_, Ident)| {
        // The name and its `mut` keep the user's spans, so that lints about them show the
        // parameter.
        let is = quote_spanned!(Span::mixed_site()=> = #ident;);
        let again = quote_spanned!(Span::mixed_site()=> #(#cfgs)* let #mutability #ident #is);
        Mutable { ident, again }
    };
    taken.0.into_iter().map(again).collect()
}

pub(crate) fn cfgs(attributes: &[Attribute]) -> Vec<Attribute> {
    attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("cfg"))
        .cloned()
        .collect()
}

pub(crate) fn bindings(argument: &FnArg) -> Vec<Binding> {
    match argument {
        FnArg::Receiver(receiver) => {
            let ident = Ident::new("self", receiver.self_token.span);
            vec![Binding::receiver(ident, cfgs(&receiver.attrs))]
        }
        FnArg::Typed(typed) => {
            let cfgs = cfgs(&typed.attrs);
            let names = names(&typed.pat).into_iter();
            names
                .map(|ident| Binding::new(ident, cfgs.clone()))
                .collect()
        }
    }
}

/// Returns the names that a pattern binds.
pub(crate) fn names(pattern: &Pat) -> Vec<Ident> {
    let mut idents = Vec::new();
    collect(pattern, &mut idents);
    idents
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
        // A pattern in invisible delimiters, or one unknown to this version of syn, arrives as
        // tokens.
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
    use quote::quote;

    use super::*;
    use crate::audited::signature::parse;

    fn names(item: TokenStream) -> String {
        let function = parse(item).ok().unwrap();
        function
            .bindings
            .iter()
            .map(Binding::name)
            .collect::<Vec<_>>()
            .join(" ")
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
    fn each_name_keeps_the_cfg_of_its_parameter() {
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
    fn mutable_parameters_are_rebound() {
        let function = parse(quote!(
            #[a]
            pub fn f(mut self, mut a: A, (b, mut c): B, ref mut d: D, #[cfg(x)] mut e: E) {}
        ))
        .ok()
        .unwrap();
        let again: TokenStream = function
            .mutable
            .iter()
            .map(ToTokens::to_token_stream)
            .collect();
        assert_eq!(
            again.to_string(),
            quote!(let mut a = a; let mut c = c; #[cfg(x)] let mut e = e;).to_string()
        );
        let head = quote!(#[a] pub fn f(mut self, a: A, (b, c): B, ref mut d: D, #[cfg(x)] e: E));
        assert_eq!(function.head.to_string(), head.to_string());
    }
}

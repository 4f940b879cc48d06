//! Recognizes the functions that `#[async_trait]` generates, and splits their bodies.
//!
//! `#[async_trait]` is expanded before the attributes on the functions inside, which then see a
//! function that is not async: `fn f<.., 'async_trait>(..) -> Pin<Box<dyn Future<..>>>` with the
//! body `Box::pin(async move { .. })`. The block destructures the patterns of the parameters, and
//! names `self` `__self`. The event is therefore created in the block, after those statements.

use proc_macro2::{Delimiter, Group, Ident, Punct, Spacing, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::Parser;
use syn::{Attribute, Pat, Signature};

use super::bindings::{self, Binding, Mutable};
use super::future::{is_ident, is_punct};

/// The parts of the body of such a function.
pub(crate) struct Unfolded {
    /// `Box::pin`
    before: TokenStream,
    /// `async move`
    keywords: TokenStream,
    arguments: Span,
    block: Span,
    /// The statements that destructure the parameters, and those before them.
    pub(crate) lets: TokenStream,
    /// The rest of the block.
    pub(crate) body: Group,
    /// The identifier of `self` in the block.
    pub(crate) receiver: Option<Ident>,
}

impl Unfolded {
    /// Rebuilds the body with another content of its block.
    pub(crate) fn refold(self, content: TokenStream) -> TokenStream {
        let group = |delimiter, content, span| {
            let mut group = Group::new(delimiter, content);
            group.set_span(span);
            group
        };
        let mut block = self.keywords;
        group(Delimiter::Brace, content, self.block).to_tokens(&mut block);
        let mut tokens = self.before;
        group(Delimiter::Parenthesis, block, self.arguments).to_tokens(&mut tokens);
        tokens
    }
}

/// Splits the body.
///
/// The names that the block binds are added to `bindings` and replace the parameters. Statements
/// that rebind `mut` names are added to `mutable`.
pub(crate) fn unfold(
    signature: &Signature,
    body: &Group,
    bindings: &mut Vec<Binding>,
    mutable: &mut Vec<Mutable>,
) -> Option<Unfolded> {
    let is_made = |lifetime: &syn::LifetimeParam| lifetime.lifetime.ident == "async_trait";
    if !signature.generics.lifetimes().any(is_made) {
        return None;
    }
    let tokens: Vec<_> = body.stream().into_iter().collect();
    let [before @ .., TokenTree::Group(arguments)] = &tokens[..] else {
        return None;
    };
    let inside: Vec<_> = arguments.stream().into_iter().collect();
    let [keywords @ .., TokenTree::Group(block)] = &inside[..] else {
        return None;
    };
    let [first, second] = keywords else {
        return None;
    };
    let is_box_pin =
        before.len() == 4 && is_ident(&before[0], "Box") && is_ident(&before[3], "pin");
    if !is_box_pin || !is_ident(first, "async") || !is_ident(second, "move") {
        return None;
    }
    let mut lets = TokenStream::new();
    let mut receiver = None;
    let content: Vec<_> = block.stream().into_iter().collect();
    let mut rest = &content[type_hint(&content)..];
    lets.extend(content[..content.len() - rest.len()].iter().cloned());
    while let Some((statement, length)) = statement(rest) {
        rest = &rest[length..];
        // The parameter has been moved from.
        bindings.retain(|binding| binding.ident != statement.parameter);
        mutable.retain(|parameter| parameter.ident != statement.parameter);
        let cfgs = bindings::cfgs(&statement.attributes);
        let mut pattern = statement.pattern;
        mutable.extend(bindings::take_mut(&mut pattern, &cfgs));
        let names = bindings::names(&pattern);
        if let [name] = &names[..]
            && name == "__self"
        {
            receiver = Some(name.clone());
            bindings.push(Binding::receiver(name.clone(), cfgs));
        } else {
            let bound = names
                .into_iter()
                .map(|ident| Binding::new(ident, cfgs.clone()));
            bindings.extend(bound);
        }
        for attribute in &statement.attributes {
            attribute.to_tokens(&mut lets);
        }
        lets.extend([statement.keyword]);
        pattern.to_tokens(&mut lets);
        lets.extend(statement.value);
    }
    let mut body = Group::new(Delimiter::Brace, rest.iter().cloned().collect());
    body.set_span(block.span());
    Some(Unfolded {
        before: before.iter().cloned().collect(),
        keywords: keywords.iter().cloned().collect(),
        arguments: arguments.span(),
        block: block.span(),
        lets,
        body,
        receiver,
    })
}

/// Returns the length of `if let Some(__ret) = None::<Output> { .. }`, the type hint of the block.
fn type_hint(tokens: &[TokenTree]) -> usize {
    match tokens {
        [first, second, ..] if is_ident(first, "if") && is_ident(second, "let") => {
            let is_block = |token: &TokenTree| matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace);
            tokens
                .iter()
                .position(is_block)
                .map_or(0, |position| position + 1)
        }
        _ => 0,
    }
}

struct Statement {
    attributes: Vec<Attribute>,
    keyword: TokenTree,
    pattern: Pat,
    parameter: Ident,
    /// From the `=` to the `;`.
    value: TokenStream,
}

/// Returns the first statement and its length, if it binds a pattern to a parameter:
/// `let pattern = name;` or `let pattern = { let name = name; name };`.
fn statement(tokens: &[TokenTree]) -> Option<(Statement, usize)> {
    let mut start = 0;
    while let [TokenTree::Punct(hash), TokenTree::Group(_), ..] = &tokens[start..]
        && hash.as_char() == '#'
    {
        start += 2;
    }
    let length = tokens.iter().position(|token| is_punct(token, ';'))? + 1;
    let keyword = tokens.get(start).filter(|token| is_ident(token, "let"))?;
    let equals = tokens[..length]
        .iter()
        .position(|token| is_punct(token, '='))?;
    let parameter = match &tokens[equals + 1..length - 1] {
        [TokenTree::Ident(parameter)] => parameter.clone(),
        [TokenTree::Group(block)] => {
            let inside: Vec<_> = block.stream().into_iter().collect();
            match &inside[..] {
                [first, _, _, _, _, TokenTree::Ident(parameter)] if is_ident(first, "let") => {
                    parameter.clone()
                }
                _ => return None,
            }
        }
        _ => return None,
    };
    let attributes: TokenStream = tokens[..start].iter().cloned().collect();
    let pattern: TokenStream = tokens[start + 1..equals].iter().cloned().collect();
    let statement = Statement {
        attributes: Attribute::parse_outer.parse2(attributes).ok()?,
        keyword: keyword.clone(),
        pattern: Pat::parse_single.parse2(pattern).ok()?,
        parameter,
        value: tokens[equals..length].iter().cloned().collect(),
    };
    Some((statement, length))
}

/// Replaces `self` by its identifier in the block, except in paths that begin with `self::`.
pub(crate) fn renamed(value: TokenStream, receiver: &Ident) -> TokenStream {
    let mut tokens = value.into_iter().peekable();
    let mut renamed = TokenStream::new();
    while let Some(token) = tokens.next() {
        let token = match token {
            TokenTree::Ident(ident)
                if ident == "self" && !tokens.peek().is_some_and(is_path_separator) =>
            {
                let mut receiver = receiver.clone();
                receiver.set_span(receiver.span().located_at(ident.span()));
                TokenTree::Ident(receiver)
            }
            TokenTree::Group(group) => {
                let mut inner =
                    Group::new(group.delimiter(), self::renamed(group.stream(), receiver));
                inner.set_span(group.span());
                TokenTree::Group(inner)
            }
            other => other,
        };
        renamed.extend([token]);
    }
    renamed
}

fn is_path_separator(token: &TokenTree) -> bool {
    let is_joint_colon =
        |punct: &Punct| punct.as_char() == ':' && punct.spacing() == Spacing::Joint;
    matches!(token, TokenTree::Punct(punct) if is_joint_colon(punct))
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::*;
    use crate::audited::signature::{Kind, parse};

    #[test]
    fn the_block_of_async_trait_is_split() {
        let function = parse(quote! {
            fn f<'life0, 'async_trait>(
                &'life0 self,
                __arg1: Path<Uuid>,
                name: &'life0 str,
                x: X,
            ) -> ::core::pin::Pin<Box<dyn ::core::future::Future<Output = R> + ::core::marker::Send + 'async_trait>>
            where
                'life0: 'async_trait,
                Self: 'async_trait,
            {
                Box::pin(async move {
                    if let ::core::option::Option::Some(__ret) = ::core::option::Option::None::<R> {
                        #[allow(unreachable_code)]
                        return __ret;
                    }
                    let mut __self = self;
                    let Path(id) = { let __arg1 = __arg1; __arg1 };
                    #[cfg(any())]
                    let mut x = x;
                    let __ret: R = { let y = x; y };
                    #[allow(unreachable_code)]
                    __ret
                })
            }
        })
        .ok()
        .unwrap();
        let names: Vec<_> = function.bindings.iter().map(Binding::name).collect();
        assert_eq!(names, ["name", "self", "id", "x"]);
        let mutable: TokenStream = function
            .mutable
            .iter()
            .map(ToTokens::to_token_stream)
            .collect();
        let again = quote!(let mut __self = __self; #[cfg(any())] let mut x = x;);
        assert_eq!(mutable.to_string(), again.to_string());
        let Kind::AsyncTrait(unfolded) = function.kind else {
            panic!("not seen")
        };
        assert_eq!(unfolded.receiver.as_ref().unwrap(), "__self");
        assert!(
            unfolded
                .lets
                .to_string()
                .ends_with(&quote!(#[cfg(any())] let x = x;).to_string())
        );
        assert!(unfolded.body.to_string().starts_with("{ let __ret : R = {"));
        assert_eq!(
            unfolded.refold(quote!(x)).to_string(),
            quote!(Box::pin(async move { x })).to_string()
        );
    }

    #[test]
    fn only_self_as_a_value_is_renamed() {
        let receiver = Ident::new("__self", Span::call_site());
        assert_eq!(
            renamed(quote!(self::f(&self.id, [self], m!(self.x))), &receiver).to_string(),
            quote!(self::f(&__self.id, [__self], m!(__self.x))).to_string()
        );
    }
}

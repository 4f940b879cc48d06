//! Splits a function into its head and its body, for the attributes of this crate.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Ident, Signature, Visibility};

/// The parts of a function with a body.
pub(crate) struct Whole {
    /// All tokens before the body, unchanged.
    pub(crate) head: TokenStream,
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) visibility: Visibility,
    pub(crate) signature: Signature,
    /// The attributes at the start of the body, which must stay first in it.
    pub(crate) inner_attributes: TokenStream,
    /// The body in its braces, without the inner attributes. It is *never* parsed: that is faster,
    /// and an editor that expands unfinished code gets it back unchanged.
    pub(crate) body: Group,
}

/// Splits the item under `#[attribute]`.
///
/// # Errors
/// If the item is not a function, or has no body.
pub(crate) fn split(item: TokenStream, attribute: &str) -> syn::Result<Whole> {
    let mut head: Vec<TokenTree> = item.into_iter().collect();
    let last = head.pop();
    let body = last.as_ref().and_then(as_block);
    if body.is_none() {
        head.extend(last);
    }
    if let Some(word) = other_item(&head) {
        return Err(syn::Error::new(
            word.span(),
            format!("`#[{attribute}]` goes on a function, not on a `{word}`"),
        ));
    }
    let head: TokenStream = head.into_iter().collect();
    let (attributes, visibility, signature) = (|input: ParseStream<'_>| {
        let attributes = Attribute::parse_outer(input)?;
        let visibility: Visibility = input.parse()?;
        let signature: Signature = input.parse()?;
        // The remaining tokens, such as `;` instead of a body, are reported below.
        input.parse::<TokenStream>()?;
        Ok((attributes, visibility, signature))
    })
    .parse2(head.clone())?;
    let Some(body) = body else {
        return Err(syn::Error::new(
            signature.ident.span(),
            format!(
                "`#[{attribute}]` needs a function with a body; a declaration in a trait has none, so put it on the \
                 functions of the `impl` blocks"
            ),
        ));
    };
    let (inner_attributes, body) = split_inner_attributes(body);
    Ok(Whole {
        head,
        attributes,
        visibility,
        signature,
        inner_attributes,
        body,
    })
}

/// Finds the attribute with this name, to detect `#[audited]` and `#[unaudited]` on one function.
pub(crate) fn named<'a>(attributes: &'a [Attribute], name: &str) -> Option<&'a Ident> {
    let last = |attribute: &'a Attribute| attribute.path().segments.last();
    let mut names = attributes.iter().filter_map(last).map(|last| &last.ident);
    names.find(|ident| *ident == name)
}

/// Returns the block, also if a `macro_rules!` macro passed it in invisible delimiters.
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

/// Returns the keyword of an item that is not a function.
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
    for token in head {
        let TokenTree::Ident(ident) = token else {
            continue;
        };
        // Comparing an identifier allocates a string, so it is converted once for all words.
        let word = ident.to_string();
        if word == "fn" {
            return None;
        }
        if WORDS.contains(&word.as_str()) {
            return Some(ident.clone());
        }
    }
    None
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
        // The same group: a new one would lose the span of its closing brace.
        return (TokenStream::new(), body);
    }
    let attributes: TokenStream = rest.drain(..end).collect();
    let mut without = Group::new(Delimiter::Brace, rest.into_iter().collect());
    without.set_span(body.span());
    (attributes, without)
}

//! Parses the arguments that capture a value: targets, metadata, actor and organization.

use proc_macro2::{Ident, Span};
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::spanned::Spanned;
use syn::visit_mut::{self, VisitMut};
use syn::{Expr, LitStr, Token, token};

use crate::errors::{Errors, hint};
use crate::parsing::comma_separated;

/// One captured value.
pub(crate) enum Capture {
    /// `target = "name"`
    Binding(LitStr),
    /// `target(kind = id, ..)`
    Target(Target),
    /// `metadata(key = value)`
    Metadata(Key, Value),
    /// `actor = principal`
    Actor(Expr),
    /// `organization = id`
    Organization(Expr),
}

/// `target(kind = id, name = text, metadata(key = value))`, or `target(kind in ids)`.
pub(crate) struct Target {
    pub(crate) kind: Key,
    pub(crate) id: Expr,
    /// `true` if `id` is a collection and each item is a target.
    pub(crate) each: bool,
    pub(crate) name: Option<Value>,
    pub(crate) metadata: Vec<(Key, Value)>,
}

/// A target type or a metadata key: an identifier, or a string if it is not a valid one.
pub(crate) struct Key {
    pub(crate) name: String,
    pub(crate) span: Span,
}

/// Formats a target type or metadata key for an attribute, quoted unless it is an identifier.
pub(super) fn quoted_key(name: &str) -> String {
    if syn::parse_str::<Ident>(&format!("r#{name}")).is_ok() {
        name.to_owned()
    } else {
        format!("\"{name}\"")
    }
}

pub(crate) enum Value {
    /// An expression of the type in the catalog.
    Plain(Expr),
    /// `display(expression)`: text through `Display`, with the span of `display`.
    Display(Expr, Span),
}

/// Parses the parentheses after `target`.
pub(crate) fn target(
    name: &Ident,
    input: ParseStream<'_>,
    errors: &mut Errors,
) -> syn::Result<Option<Target>> {
    let content;
    syn::parenthesized!(content in input);
    if content.is_empty() {
        errors.at(
            name.span(),
            "an empty `target(..)`; write `target(type = id)`",
        );
        return Ok(None);
    }
    let mut target: Option<Target> = None;
    comma_separated(&content, errors, |content, errors| {
        let Some(target) = &mut target else {
            let kind = parse_key(content, "a target type, as in `target(document = id)`")?;
            let each = content.parse::<Option<Token![in]>>()?.is_some();
            if !each {
                content.parse::<Token![=]>()?;
            }
            target = Some(Target {
                kind,
                id: expression(content, errors)?,
                each,
                name: None,
                metadata: Vec::new(),
            });
            return Ok(());
        };
        details(target, content, errors)
    });
    Ok(target)
}

/// Parses the details after the id of a target.
fn details(target: &mut Target, content: ParseStream<'_>, errors: &mut Errors) -> syn::Result<()> {
    let word = parse_key(content, "`name = text` or `metadata(key = value)`")?;
    if target.each {
        return Err(syn::Error::new(
            word.span,
            "`target(type in ids)` takes ids only; names and metadata belong to a single `target(type = id)`",
        ));
    }
    match word.name.as_str() {
        "metadata" if content.peek(token::Paren) => {
            metadata(content, errors, |key, value| {
                target.metadata.push((key, value))
            })?;
        }
        "name" => {
            content.parse::<Token![=]>()?;
            if target.name.is_some() {
                errors.at(word.span, "`name` is given twice");
            }
            target.name = Some(value(expression(content, errors)?));
        }
        unknown => {
            let message = format!(
                "unknown `{unknown}` in a target; {} (one `target(..)` is one target; write another for the next)",
                hint(unknown, ["name", "metadata"].into_iter())
            );
            content.parse::<Token![=]>()?;
            drop(expression(content, errors)?);
            errors.at(word.span, message);
        }
    }
    Ok(())
}

/// Parses the parentheses after `metadata`.
pub(crate) fn metadata(
    input: ParseStream<'_>,
    errors: &mut Errors,
    mut take: impl FnMut(Key, Value),
) -> syn::Result<()> {
    if !input.peek(token::Paren) {
        return Err(input.error("expected `metadata(key = value)`"));
    }
    let content;
    syn::parenthesized!(content in input);
    comma_separated(&content, errors, |content, errors| {
        let key = parse_key(content, "a metadata key, as in `metadata(key = value)`")?;
        content.parse::<Token![=]>()?;
        take(key, value(expression(content, errors)?));
        Ok(())
    });
    Ok(())
}

fn parse_key(input: ParseStream<'_>, wanted: &str) -> syn::Result<Key> {
    if input.peek(LitStr) {
        let literal: LitStr = input.parse()?;
        return Ok(Key {
            name: literal.value(),
            span: literal.span(),
        });
    }
    let ident = input
        .call(Ident::parse_any)
        .map_err(|error| syn::Error::new(error.span(), format!("expected {wanted}")))?;
    Ok(Key {
        name: ident.unraw().to_string(),
        span: ident.span(),
    })
}

fn value(expression: Expr) -> Value {
    if let Expr::Call(call) = &expression
        && let Expr::Path(path) = &*call.func
        && path.path.is_ident("display")
        && let (Some(inner), 1) = (call.args.first(), call.args.len())
    {
        return Value::Display(inner.clone(), path.span());
    }
    Value::Plain(expression)
}

/// Parses an expression, and rejects one that leaves the function or awaits.
///
/// Auditing *never* changes the operation.
pub(crate) fn expression(input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<Expr> {
    let mut expression: Expr = input.parse()?;
    Exits { errors }.visit_expr_mut(&mut expression);
    Ok(expression)
}

/// Reports the exits of an expression.
///
/// The visitor is mutable only because this crate uses that one anyway; nothing is changed.
struct Exits<'a> {
    errors: &'a mut Errors,
}

impl VisitMut for Exits<'_> {
    fn visit_expr_mut(&mut self, expression: &mut Expr) {
        let (span, what) = match expression {
            // The content of these runs elsewhere, or not at all.
            Expr::Closure(_) | Expr::Async(_) | Expr::Const(_) => return,
            Expr::Try(found) => (found.question_token.span(), "`?` would leave the function"),
            Expr::Return(found) => (
                found.return_token.span(),
                "`return` would leave the function",
            ),
            Expr::Await(found) => (
                found.await_token.span(),
                "`.await` would suspend the function",
            ),
            _ => return visit_mut::visit_expr_mut(self, expression),
        };
        self.errors.at(
            span,
            format!("{what} while its event is created; use a value that is already computed"),
        );
    }

    fn visit_item_mut(&mut self, _: &mut syn::Item) {}
}

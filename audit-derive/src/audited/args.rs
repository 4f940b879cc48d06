//! The arguments of the attribute, as they are written.

use proc_macro2::{Span, TokenStream};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::spanned::Spanned;
use syn::visit_mut::{self, VisitMut};
use syn::{Expr, Ident, LitStr, Token, token};

use crate::errors::{Errors, hint};

/// The names of the arguments, for suggestions.
const NAMES: [&str; 6] = [
    "action",
    "target",
    "metadata",
    "actor",
    "organization",
    "crate",
];

/// The arguments that could be understood.
#[derive(Default)]
pub(crate) struct Args {
    pub(crate) action: Option<LitStr>,
    /// Whether something was written for `action` and reported, so that it is not missing.
    pub(crate) action_reported: bool,
    /// In the order they are written, which is the order they are evaluated in.
    pub(crate) captures: Vec<Capture>,
    /// The crate that generated paths start with, when it is not the facade the attribute came from.
    pub(crate) facade: Option<syn::Path>,
}

/// One value to record.
pub(crate) enum Capture {
    /// `target = "name"`
    Binding(LitStr),
    /// `target(kind = id)`
    Target(Key, Expr),
    /// `metadata(key = value)`
    Metadata(Key, Value),
    /// `actor = principal`
    Actor(Expr),
    /// `organization = id`
    Organization(Expr),
}

/// A target type or a metadata key: a name, or a string when it is no Rust name.
pub(crate) struct Key {
    pub(crate) name: String,
    pub(crate) span: Span,
}

pub(crate) enum Value {
    /// An expression of the type that the catalog says.
    Plain(Expr),
    /// `display(expression)`: text through `Display`. The span is that of `display`.
    Display(Expr, Span),
}

/// Reads the arguments. What is wrong is reported and left out; reading goes on behind the next comma.
pub(crate) fn parse(attribute: TokenStream, errors: &mut Errors) -> Args {
    let mut args = Args::default();
    let list = |input: ParseStream<'_>| {
        comma_separated(input, errors, |input, errors| {
            argument(input, &mut args, errors)
        });
        Ok(())
    };
    if let Err(error) = list.parse2(attribute) {
        errors.push(error);
    }
    args
}

fn comma_separated(
    input: ParseStream<'_>,
    errors: &mut Errors,
    mut item: impl FnMut(ParseStream<'_>, &mut Errors) -> syn::Result<()>,
) {
    while !input.is_empty() {
        let result = item(input, errors).and_then(|()| {
            if input.is_empty() || input.peek(Token![,]) {
                return Ok(());
            }
            Err(input.error("expected `,`"))
        });
        if let Err(error) = result {
            errors.push(error);
            while !input.is_empty() && !input.peek(Token![,]) {
                // Where there is a token, a token tree parses.
                drop(input.parse::<proc_macro2::TokenTree>());
            }
        }
        drop(input.parse::<Option<Token![,]>>());
    }
}

fn argument(input: ParseStream<'_>, args: &mut Args, errors: &mut Errors) -> syn::Result<()> {
    let name = input.call(Ident::parse_any).map_err(|error| {
        syn::Error::new(
            error.span(),
            format!("expected one of `{}`", NAMES.join("`, `")),
        )
    })?;
    let expression = |input: ParseStream<'_>, errors: &mut Errors| {
        input.parse::<Token![=]>()?;
        expression(input, errors)
    };
    match name.to_string().as_str() {
        "action" => {
            args.action_reported = true;
            input.parse::<Token![=]>()?;
            let action = string(
                input,
                "the name of an action of the catalog, such as `action = \"document.delete\"`",
            )?;
            once(&args.action, &name, errors);
            args.action = Some(action);
            args.action_reported = false;
        }
        "target" if input.peek(token::Paren) => {
            let content;
            syn::parenthesized!(content in input);
            if content.is_empty() {
                errors.at(
                    name.span(),
                    "an empty `target(..)`; write `target(type = id)`",
                );
            }
            let mut count = 0;
            comma_separated(&content, errors, |content, errors| {
                let key = key(content, "a target type, as in `target(document = id)`")?;
                content.parse::<Token![=]>()?;
                let id = self::expression(content, errors)?;
                count += 1;
                if count > 1 {
                    errors.at(
                        key.span,
                        "one `target(..)` is one target; write another `target(..)` for the next",
                    );
                }
                args.captures.push(Capture::Target(key, id));
                Ok(())
            });
        }
        "target" => {
            input.parse::<Token![=]>().map_err(|error| {
                syn::Error::new(
                    error.span(),
                    "expected `target = \"binding\"` or `target(type = id)`",
                )
            })?;
            let binding = string(
                input,
                "a binding of the function in quotes, such as `target = \"id\"`; an expression is written `target(type = expression)`",
            )?;
            args.captures.push(Capture::Binding(binding));
        }
        "metadata" => {
            if !input.peek(token::Paren) {
                return Err(input.error("expected `metadata(key = value)`"));
            }
            let content;
            syn::parenthesized!(content in input);
            comma_separated(&content, errors, |content, errors| {
                let key = key(content, "a metadata key, as in `metadata(key = value)`")?;
                content.parse::<Token![=]>()?;
                let value = value(self::expression(content, errors)?);
                args.captures.push(Capture::Metadata(key, value));
                Ok(())
            });
        }
        "actor" => {
            let actor = expression(input, errors)?;
            let before = args
                .captures
                .iter()
                .find(|capture| matches!(capture, Capture::Actor(_)));
            once(&before, &name, errors);
            args.captures.push(Capture::Actor(actor));
        }
        "organization" => {
            let organization = expression(input, errors)?;
            let before = args
                .captures
                .iter()
                .find(|capture| matches!(capture, Capture::Organization(_)));
            once(&before, &name, errors);
            args.captures.push(Capture::Organization(organization));
        }
        "crate" => {
            input.parse::<Token![=]>()?;
            let path = input.call(syn::Path::parse_mod_style)?;
            once(&args.facade, &name, errors);
            args.facade = Some(path);
        }
        unknown => {
            args.action_reported |= audit_catalog::nearest(unknown, NAMES) == Some("action");
            let message = format!(
                "unknown argument `{unknown}`; {}",
                hint(unknown, NAMES.into_iter())
            );
            return Err(syn::Error::new(name.span(), message));
        }
    }
    Ok(())
}

fn once<T>(before: &Option<T>, name: &Ident, errors: &mut Errors) {
    if before.is_some() {
        errors.at(name.span(), format!("`{name}` is given twice"));
    }
}

fn string(input: ParseStream<'_>, wanted: &str) -> syn::Result<LitStr> {
    let message = format!("expected {wanted}");
    let literal: LitStr = match input.fork().parse::<Expr>() {
        Ok(Expr::Lit(syn::ExprLit {
            lit: syn::Lit::Str(_),
            ..
        })) => input.parse()?,
        Ok(other) => {
            drop(input.parse::<Expr>()?);
            return Err(syn::Error::new(other.span(), message));
        }
        Err(error) => return Err(syn::Error::new(error.span(), message)),
    };
    if literal.suffix().is_empty() {
        Ok(literal)
    } else {
        Err(syn::Error::new(literal.span(), message))
    }
}

fn key(input: ParseStream<'_>, wanted: &str) -> syn::Result<Key> {
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

/// Reads an expression, and refuses what would leave the function or wait in it: auditing must not change the operation.
fn expression(input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<Expr> {
    let mut expression: Expr = input.parse()?;
    Exits { errors }.visit_expr_mut(&mut expression);
    Ok(expression)
}

/// Visits mutably only because that is the visitor this crate uses anyway; nothing is changed.
struct Exits<'a> {
    errors: &'a mut Errors,
}

impl VisitMut for Exits<'_> {
    fn visit_expr_mut(&mut self, expression: &mut Expr) {
        let (span, what) = match expression {
            // What these hold runs somewhere else, or not at all.
            Expr::Closure(_) | Expr::Async(_) | Expr::Const(_) => return,
            Expr::Try(found) => (found.question_token.span(), "`?` would leave the function"),
            Expr::Return(found) => (
                found.return_token.span(),
                "`return` would leave the function",
            ),
            Expr::Await(found) => (
                found.await_token.span(),
                "`.await` would make the function wait",
            ),
            _ => return visit_mut::visit_expr_mut(self, expression),
        };
        self.errors.at(
            span,
            format!("{what} before its body has run; name a value that is already there"),
        );
    }

    fn visit_item_mut(&mut self, _: &mut syn::Item) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(attribute: &str) -> Vec<String> {
        let mut errors = Errors::default();
        parse(attribute.parse().unwrap(), &mut errors);
        errors.messages()
    }

    fn parsed(attribute: &str) -> Args {
        let mut errors = Errors::default();
        let args = parse(attribute.parse().unwrap(), &mut errors);
        assert_eq!(errors.messages(), [] as [&str; 0]);
        args
    }

    #[test]
    fn every_argument_is_read_in_order() {
        let args = parsed(
            r#"action = "a", target = "x", target(r#type = f::<A, B>(y)), target("api-key" = z,),
               metadata(a = 1, b = display(url)), metadata(c = self::display(url)), actor = user, organization = o, crate = my::audit,"#,
        );
        assert_eq!(args.action.unwrap().value(), "a");
        let kinds: Vec<_> = args
            .captures
            .iter()
            .map(|capture| match capture {
                Capture::Binding(name) => format!("binding {}", name.value()),
                Capture::Target(key, _) => format!("target {}", key.name),
                Capture::Metadata(key, Value::Plain(_)) => format!("plain {}", key.name),
                Capture::Metadata(key, Value::Display(..)) => format!("display {}", key.name),
                Capture::Actor(_) => "actor".to_owned(),
                Capture::Organization(_) => "organization".to_owned(),
            })
            .collect();
        let expected =
            "binding x/target type/target api-key/plain a/display b/plain c/actor/organization";
        assert_eq!(kinds.join("/"), expected);
        assert!(args.facade.is_some());
    }

    #[test]
    fn reading_goes_on_behind_a_mistake() {
        assert_eq!(
            messages(
                "acton = \"a\", target = id, metadata(x = ), metadata(= 1, y = 2 3), actor = a, actor = b, target()"
            ),
            [
                "unknown argument `acton`; did you mean `action`?",
                "expected a binding of the function in quotes, such as `target = \"id\"`; an expression is written `target(type = expression)`",
                "unexpected end of input, expected an expression",
                "expected a metadata key, as in `metadata(key = value)`",
                "expected `,`",
                "`actor` is given twice",
                "an empty `target(..)`; write `target(type = id)`",
            ]
        );
    }

    #[test]
    fn literals_of_a_wrong_kind_are_refused() {
        for wrong in [
            "action = 1",
            "action = NAME",
            "action = b\"a\"",
            "action = \"a\"x",
            "action = concat!(\"a\")",
            "action =",
        ] {
            let found = messages(wrong);
            assert!(
                found.len() == 1 && found[0].contains("the name of an action"),
                "{wrong}: {found:?}"
            );
        }
    }

    #[test]
    fn captures_may_not_leave_the_function_or_wait() {
        let found = messages(
            "target(t = f()?), metadata(a = g().await, b = { return }, c = || h()?, d = async { i().await })",
        );
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(found[0].starts_with("`?` would leave the function before its body has run"));
    }

    #[test]
    fn any_tokens_give_errors_and_no_panic() {
        for odd in [
            "",
            ",",
            "action",
            "action = ",
            "target",
            "target(",
            "=",
            "metadata",
            "metadata = 1",
            "a b c, d",
            "crate = 1",
        ] {
            if let Ok(tokens) = odd.parse() {
                let mut errors = Errors::default();
                let args = parse(tokens, &mut errors);
                assert!(args.captures.is_empty());
                assert_eq!(errors.is_empty(), odd.is_empty(), "{odd}");
            }
        }
    }
}

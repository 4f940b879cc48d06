//! Parses the arguments of `#[audited]`.

use audit_catalog::nearest;
use proc_macro2::TokenStream;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::spanned::Spanned;
use syn::{Expr, Ident, LitStr, Token, token};

use super::captures::{self, Capture};
use super::name::ActionName;
use crate::errors::{Errors, hint};
use crate::parsing::{comma_separated, lone_string};

/// The names of the arguments, for suggestions.
const NAMES: [&str; 12] = [
    "action",
    "target",
    "metadata",
    "actor",
    "organization",
    "on",
    "error",
    "event",
    "outcome",
    "durable",
    "catalog",
    "crate",
];

/// The outcomes of a function.
const OUTCOMES: [&str; 5] = ["succeeded", "denied", "failed", "panicked", "abandoned"];

/// The arguments that were parsed.
#[derive(Default)]
pub(crate) struct Args {
    pub(crate) action: Option<ActionName>,
    /// `true` if `action` is present but invalid and reported, so that it is not missing too.
    pub(crate) action_reported: bool,
    /// The captured values, in the order of the source, which is the order of evaluation.
    pub(crate) captures: Vec<Capture>,
    /// `on = [succeeded, ..]`: the outcomes that are recorded; all by default.
    pub(crate) on: Option<Vec<Ident>>,
    /// `error = display`: records the text of an error.
    pub(crate) error: Option<Ident>,
    /// `event = name`: the name of the draft in the body.
    pub(crate) event: Option<Ident>,
    /// `outcome = path`: the function that returns the outcome.
    pub(crate) outcome: Option<syn::ExprPath>,
    /// `durable`: the event is on disk before the caller continues, also without `durable` in the
    /// catalog.
    pub(crate) durable: Option<Ident>,
    /// `catalog = "path"`: the path of another catalog.
    pub(crate) catalog: Option<LitStr>,
    /// The crate that generated paths start with, unless it is the attribute's facade.
    pub(crate) facade: Option<syn::Path>,
}

/// Parses the arguments. Mistakes are reported and omitted; parsing resumes behind the next comma.
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

/// Parses one named argument.
pub(crate) fn argument(
    input: ParseStream<'_>,
    args: &mut Args,
    errors: &mut Errors,
) -> syn::Result<()> {
    let name = input.call(Ident::parse_any).map_err(|error| {
        syn::Error::new(
            error.span(),
            format!("expected one of `{}`", NAMES.join("`, `")),
        )
    })?;
    let expression = |input: ParseStream<'_>, errors: &mut Errors| {
        input.parse::<Token![=]>()?;
        captures::expression(input, errors)
    };
    match name.to_string().as_str() {
        "action" => {
            args.action_reported = true;
            input.parse::<Token![=]>()?;
            let action = ActionName::parse(input, "action = \"document.delete\"")?;
            check_once(&args.action, &name, errors);
            args.action = Some(action);
            args.action_reported = false;
        }
        "target" if input.peek(token::Paren) => {
            let target = captures::target(&name, input, errors)?;
            args.captures.extend(target.map(Capture::Target));
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
        "metadata" => captures::metadata(input, errors, |key, value| {
            args.captures.push(Capture::Metadata(key, value));
        })?,
        "actor" => {
            let actor = expression(input, errors)?;
            let before = args
                .captures
                .iter()
                .find(|capture| matches!(capture, Capture::Actor(_)));
            check_once(&before, &name, errors);
            args.captures.push(Capture::Actor(actor));
        }
        "organization" => {
            let organization = expression(input, errors)?;
            let before = args
                .captures
                .iter()
                .find(|capture| matches!(capture, Capture::Organization(_)));
            check_once(&before, &name, errors);
            args.captures.push(Capture::Organization(organization));
        }
        "on" => {
            input.parse::<Token![=]>()?;
            let outcomes = outcomes(input, errors)?;
            check_once(&args.on, &name, errors);
            args.on = Some(outcomes);
        }
        "error" => {
            input.parse::<Token![=]>()?;
            let how: Expr = input.parse()?;
            let display = match &how {
                Expr::Path(path) if path.path.is_ident("display") => path.path.get_ident().cloned(),
                _ => None,
            };
            let Some(display) = display else {
                let message = "expected `error = display`: the error's text is recorded as its `Display` prints it";
                return Err(syn::Error::new(how.span(), message));
            };
            check_once(&args.error, &name, errors);
            args.error = Some(display);
        }
        "event" => {
            input.parse::<Token![=]>()?;
            let wanted = "expected a name for the event in the body, as in `event = ev`";
            let event = input
                .parse::<Ident>()
                .map_err(|error| syn::Error::new(error.span(), wanted))?;
            check_once(&args.event, &name, errors);
            args.event = Some(event);
        }
        "outcome" => {
            input.parse::<Token![=]>()?;
            let wanted =
                "expected the path of a function from a reference to the result to `Outcome`";
            let outcome = match input.parse::<Expr>()? {
                Expr::Path(path) => path,
                other => return Err(syn::Error::new(other.span(), wanted)),
            };
            check_once(&args.outcome, &name, errors);
            args.outcome = Some(outcome);
        }
        "durable" => {
            if input.peek(Token![=]) || input.peek(token::Paren) {
                return Err(input.error("`durable` takes no value"));
            }
            check_once(&args.durable, &name, errors);
            args.durable = Some(name);
        }
        "catalog" => {
            input.parse::<Token![=]>()?;
            let catalog = string(
                input,
                "the path of a catalog, relative to the folder of the crate's Cargo.toml",
            )?;
            check_once(&args.catalog, &name, errors);
            args.catalog = Some(catalog);
        }
        "crate" => {
            input.parse::<Token![=]>()?;
            let path = input.call(syn::Path::parse_mod_style)?;
            check_once(&args.facade, &name, errors);
            args.facade = Some(path);
        }
        unknown => {
            args.action_reported |= nearest(unknown, NAMES) == Some("action");
            let message = format!(
                "unknown argument `{unknown}`; {}",
                hint(unknown, NAMES.into_iter())
            );
            return Err(syn::Error::new(name.span(), message));
        }
    }
    Ok(())
}

/// Parses the outcomes in brackets.
fn outcomes(input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<Vec<Ident>> {
    if !input.peek(token::Bracket) {
        return Err(input.error(format!(
            "expected outcomes in brackets, as in `on = [succeeded, denied]`; there are `{}`",
            OUTCOMES.join("`, `")
        )));
    }
    let content;
    let bracket = syn::bracketed!(content in input);
    let mut outcomes: Vec<Ident> = Vec::new();
    comma_separated(&content, errors, |content, errors| {
        let outcome: Ident = content.parse()?;
        let written = outcome.to_string();
        if !OUTCOMES.contains(&written.as_str()) {
            let hint = hint(&written, OUTCOMES.into_iter());
            errors.at(
                outcome.span(),
                format!("unknown outcome `{written}`; {hint}"),
            );
        } else if outcomes.contains(&outcome) {
            errors.at(outcome.span(), format!("`{written}` is given twice"));
        } else {
            outcomes.push(outcome);
        }
        Ok(())
    });
    if outcomes.is_empty() && content.is_empty() && errors.is_empty() {
        errors.at(
            bracket.span.join(),
            "without outcomes no event is ever recorded; remove the attribute, or name outcomes",
        );
    }
    Ok(outcomes)
}

fn check_once<T>(before: &Option<T>, name: &Ident, errors: &mut Errors) {
    if before.is_some() {
        errors.at(name.span(), format!("`{name}` is given twice"));
    }
}

fn string(input: ParseStream<'_>, wanted: &str) -> syn::Result<LitStr> {
    if let Some(literal) = lone_string(input) {
        return Ok(literal);
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audited::captures::Value;

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
    fn every_argument_is_parsed_in_order() {
        let args = parsed(
            r#"action = "a", target = "x", target(r#type = f::<A, B>(y)), target("api-key" = z,),
               metadata(a = 1, b = display(url)), metadata(c = self::display(url)), target(user in ids), target(t = 1, name = display(n), metadata(a = 1, "b-c" = 2), metadata(d = 3)),
               actor = user, organization = o, error = display, event = ev, outcome = self::how, catalog = "other.toml", crate = my::audit,"#,
        );
        assert_eq!(args.action.unwrap().written(), "a");
        let kinds: Vec<_> = args
            .captures
            .iter()
            .map(|capture| match capture {
                Capture::Binding(name) => format!("binding {}", name.value()),
                Capture::Target(target) => format!(
                    "target {}{}{}",
                    target.kind.name,
                    if target.each { " in" } else { "" },
                    target
                        .metadata
                        .iter()
                        .map(|(key, _)| format!(" {}", key.name))
                        .collect::<String>(),
                ),
                Capture::Metadata(key, Value::Plain(_)) => format!("plain {}", key.name),
                Capture::Metadata(key, Value::Display(..)) => format!("display {}", key.name),
                Capture::Actor(_) => "actor".to_owned(),
                Capture::Organization(_) => "organization".to_owned(),
            })
            .collect();
        let expected = "binding x/target type/target api-key/plain a/display b/plain c/target user in/target t a b-c d/actor/organization";
        assert_eq!(kinds.join("/"), expected);
        assert!(args.facade.is_some() && args.error.is_some() && args.outcome.is_some());
        assert_eq!(args.event.unwrap(), "ev");
        assert_eq!(args.catalog.unwrap().value(), "other.toml");
    }

    #[test]
    fn parsing_resumes_behind_a_mistake() {
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
    fn literals_of_a_wrong_kind_are_rejected() {
        for wrong in [
            "action = 1",
            "action = <A as B>::NAME",
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
    fn captures_cannot_leave_the_function_or_await() {
        let found = messages(
            "target(t = f()?), metadata(a = g().await, b = { return }, c = || h()?, d = async { i().await })",
        );
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(found[0].starts_with("`?` would leave the function while its event is created"));
    }

    #[test]
    fn any_tokens_return_errors_without_a_panic() {
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

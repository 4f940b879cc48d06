//! Expands `#[unaudited]`: one statement before the body exempts the request, with a reason.

use audit_catalog::nearest;
use proc_macro2::{Group, Ident, Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::spanned::Spanned;
use syn::{Expr, ExprLit, LitStr, Token};

use crate::audited::body::{braces, nested};
use crate::errors::{Errors, hint};
use crate::function::{self, Whole};
use crate::parsing::comma_separated;

/// The names of the arguments, for suggestions.
const NAMES: [&str; 2] = ["reason", "crate"];

/// An example of a reason, for messages.
const EXAMPLE: &str = "`reason = \"changes nothing that a customer owns\"`";

/// The arguments that were parsed.
#[derive(Default)]
struct Args {
    reason: Option<LitStr>,
    /// `true` if `reason` is present but invalid and reported, so that it is not missing too.
    reason_reported: bool,
    /// The crate that generated paths start with, unless it is the attribute's facade.
    facade: Option<syn::Path>,
}

/// Expands `#[unaudited(attribute)] item`.
///
/// After a mistake the item is returned unchanged, beside all errors.
pub(crate) fn expand(facade: &str, attribute: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let args = parse(attribute, &mut errors);
    if args.reason.is_none() && !args.reason_reported {
        let message = format!("missing argument: {EXAMPLE}, the reason why calls need no event");
        errors.at(Span::call_site(), message);
    }
    let function = match exempted(item.clone()) {
        Ok(function) => Some(function),
        Err(error) => {
            errors.push(error);
            None
        }
    };
    match (args.reason, function) {
        (Some(reason), Some(function)) if errors.is_empty() => {
            write(function, &reason, facade, args.facade.as_ref())
        }
        _ => {
            let mut tokens = errors.into_tokens();
            tokens.extend(item);
            tokens
        }
    }
}

fn parse(attribute: TokenStream, errors: &mut Errors) -> Args {
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

fn argument(input: ParseStream<'_>, args: &mut Args, errors: &mut Errors) -> syn::Result<()> {
    let name = input.call(Ident::parse_any).map_err(|error| {
        args.reason_reported = true;
        syn::Error::new(error.span(), format!("expected {EXAMPLE}"))
    })?;
    let twice = match name.to_string().as_str() {
        "reason" => {
            args.reason_reported = true;
            input.parse::<Token![=]>()?;
            args.reason.replace(reason(input)?).is_some()
        }
        "crate" => {
            input.parse::<Token![=]>()?;
            let path = input.call(syn::Path::parse_mod_style)?;
            args.facade.replace(path).is_some()
        }
        unknown => {
            args.reason_reported |= nearest(unknown, NAMES) == Some("reason");
            let hint = hint(unknown, NAMES.into_iter());
            let message = format!("unknown argument `{unknown}`; {hint}");
            return Err(syn::Error::new(name.span(), message));
        }
    };
    if twice {
        errors.at(name.span(), format!("`{name}` is given twice"));
    }
    Ok(())
}

fn reason(input: ParseStream<'_>) -> syn::Result<LitStr> {
    let wanted = format!("expected a reason in quotes, such as {EXAMPLE}");
    if input.is_empty() {
        return Err(syn::Error::new(input.span(), wanted));
    }
    match input.parse::<Expr>()? {
        Expr::Lit(ExprLit {
            lit: syn::Lit::Str(reason),
            ..
        }) if !reason.value().trim().is_empty() => Ok(reason),
        Expr::Lit(ExprLit {
            lit: syn::Lit::Str(empty),
            ..
        }) => {
            let message =
                format!("an empty reason; state why calls need no event, such as {EXAMPLE}");
            Err(syn::Error::new(empty.span(), message))
        }
        other => Err(syn::Error::new(other.span(), wanted)),
    }
}

/// Splits the function, and rejects one whose calls cannot be exempt.
fn exempted(item: TokenStream) -> syn::Result<Whole> {
    let function = function::split(item, "unaudited")?;
    if let Some(constness) = &function.signature.constness {
        return Err(syn::Error::new(
            constness.span(),
            "a `const fn` cannot be exempt: it may run at compile time, when there is no request",
        ));
    }
    if let Some(other) = function::named(&function.attributes, "audited") {
        return Err(syn::Error::new(
            other.span(),
            "`#[audited]` and `#[unaudited]` on one function; remove one",
        ));
    }
    Ok(function)
}

fn write(function: Whole, reason: &LitStr, facade: &str, named: Option<&syn::Path>) -> TokenStream {
    let ours = Span::mixed_site();
    let facade = match named {
        Some(path) => path.to_token_stream(),
        None => {
            let facade = Ident::new(facade, ours);
            quote_spanned!(ours=> ::#facade)
        }
    };
    let Whole {
        head,
        inner_attributes,
        body,
        ..
    } = function;
    let span = body.span();
    // The body stays a block of its own: clippy would warn about statements before its items, which
    // the user did not write.
    let body: Group = nested(body);
    let outer = quote_spanned!(ours=> #inner_attributes #facade::private::exempt(#reason); #body);
    let outer = braces(outer, span);
    quote_spanned!(ours=> #head #outer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(arguments: &str, item: &str) -> String {
        expand(
            "audit_core",
            arguments.parse().unwrap(),
            item.parse().unwrap(),
        )
        .to_string()
    }

    fn expands_to(name: &str, arguments: &str, item: &str) {
        crate::snapshot::expands_to(name, &expanded(arguments, item));
    }

    #[test]
    fn one_statement_precedes_the_body() {
        expands_to(
            "unaudited",
            r#"reason = "reads only""#,
            "/// Searches.
            #[must_use]
            pub(crate) async fn search<'a, T: Query>(&'a self, Json(mut query): Json<T>) -> Result<impl IntoResponse, AppError> {
                #![allow(unused)]
                use std::io;
                query.limit(10);
                self.db.search(query).await
            }",
        );
        expands_to(
            "unaudited_short",
            r#"reason = "reads only","#,
            "fn f() -> u8 { 1 }",
        );
    }

    #[test]
    fn the_body_is_not_parsed() {
        let found = expanded(r#"reason = "x""#, "fn f() { this is . no @ Rust }");
        assert!(
            found.contains("exempt (\"x\") ; { this is . no @ Rust }"),
            "{found}"
        );
    }

    #[test]
    fn paths_start_at_the_facade_or_the_named_crate() {
        let item = || "fn f() {}".parse().unwrap();
        let arguments = |text: &str| text.parse().unwrap();
        let tower = expand("audit_tower", arguments(r#"reason = "x""#), item()).to_string();
        assert!(
            tower.contains(":: audit_tower :: private :: exempt"),
            "{tower}"
        );
        let renamed = expanded(r#"reason = "x", crate = my::audit"#, "fn f() {}");
        assert!(
            renamed.contains("{ my :: audit :: private :: exempt"),
            "{renamed}"
        );
    }

    #[test]
    fn a_mistake_returns_the_item_unchanged() {
        let item = "#[a] pub async fn f < T > (id : T) -> R { unfinished . }";
        let found = expanded("reason = \"\"", item);
        assert!(found.starts_with(":: core :: compile_error !"), "{found}");
        let whole: TokenStream = item.parse().unwrap();
        assert!(found.ends_with(&whole.to_string()), "{found}");
    }
}

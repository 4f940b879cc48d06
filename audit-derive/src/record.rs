//! Expands `record!`, `try_record!` and `record_durable!`, which record an event at the point of
//! the call.

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Expr, Ident, Token};

use crate::audited::args::{Args, argument};
use crate::audited::calls::{Calls, conditions, open};
use crate::audited::captures::expression;
use crate::audited::check::plan;
use crate::audited::name::ActionName;
use crate::audited::runtime::Runtime;
use crate::catalog::{Found, Problem};
use crate::errors::{Errors, hint};
use crate::function_like;
use crate::parsing::comma_separated;

/// The names of the arguments, for suggestions.
const NAMES: [&str; 6] = [
    "target",
    "metadata",
    "actor",
    "organization",
    "outcome",
    "durable",
];

/// One of the three macros.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Form {
    /// `record!`, which *never* fails.
    Record,
    /// `try_record!`, which returns the error.
    Try,
    /// `record_durable!`, which returns a future that is ready when the event is on disk.
    Durable,
}

impl Form {
    fn example(self) -> &'static str {
        match self {
            Self::Record => "record!(\"document.delete\", target(document = id))",
            Self::Try => "try_record!(\"document.delete\", target(document = id))",
            Self::Durable => "record_durable!(\"document.delete\", target(document = id))",
        }
    }
}

/// Expands the macro; `input` is the facade, a comma, and the arguments.
pub(crate) fn expand(
    form: Form,
    input: TokenStream,
    catalog: &Result<Found, Problem>,
) -> TokenStream {
    let (facade, input) = function_like::split(input);
    let mut errors = Errors::default();
    let (mut args, outcome) = parse(form, input, &mut errors);
    if form == Form::Durable && args.durable.is_none() {
        args.durable = Some(Ident::new("durable", Span::call_site()));
    }
    let plan = plan(args, None, catalog.as_ref(), &mut errors);
    let (Some(plan), Ok(found), true) = (plan, catalog, errors.is_empty()) else {
        return errors.into_expression();
    };
    let ours = Span::mixed_site();
    let runtime = Runtime::of(&facade);
    let conditions = conditions(&plan, &runtime);
    let calls = Calls {
        runtime: &runtime,
        receiver: None,
        around: |value| value,
    };
    let steps = calls.steps(&plan.steps);
    let outcome = match outcome {
        Some(outcome) => quote_spanned!(ours=> #outcome),
        None => quote_spanned!(ours=> #facade::Outcome::Succeeded),
    };
    // All tokens of the steps have the user's spans. With mixed spans, in a macro inside a macro,
    // the compiler would show the whole call for a value of a wrong type. A lint about the
    // reference to `*id` would therefore count as the user's.
    let steps = quote_spanned!(ours=> #[allow(clippy::borrow_deref_ref, reason = "the reference is not the user's")] { #steps });
    let opener = match form {
        Form::Record => "open",
        Form::Try | Form::Durable => "try_open",
    };
    let open = open(&plan, &runtime, &found.path, opener);
    let close = if plan.durable {
        // Behind a layer and in `run`, the wait is empty: they wait instead. On a thread of a
        // runtime it ends at once.
        quote_spanned!(ours=> #runtime::close_durable(draft, #outcome).wait();)
    } else {
        quote_spanned!(ours=> #runtime::close(draft, #outcome);)
    };
    match form {
        Form::Record => quote_spanned! {ours=>
            {
                let mut draft = #open;
                if #runtime::Draft::is_recording(&draft) {
                    #conditions
                    #steps
                    #close
                }
            }
        },
        Form::Try => quote_spanned! {ours=>
            match #open {
                ::core::result::Result::Ok(mut draft) => {
                    #conditions
                    #steps
                    #runtime::try_close(draft, #outcome)
                }
                ::core::result::Result::Err(error) => ::core::result::Result::Err(error),
            }
        },
        Form::Durable => quote_spanned! {ours=>
            #runtime::write(match #open {
                ::core::result::Result::Ok(mut draft) => {
                    #conditions
                    #steps
                    ::core::result::Result::Ok((draft, #outcome))
                }
                ::core::result::Result::Err(error) => ::core::result::Result::Err(error),
            })
        },
    }
}

/// Parses the action and then the arguments in any order. Mistakes are reported and omitted.
fn parse(form: Form, input: TokenStream, errors: &mut Errors) -> (Args, Option<Expr>) {
    let mut args = Args {
        // A missing action is reported here, because it is not a named argument.
        action_reported: true,
        ..Args::default()
    };
    let mut outcome = None;
    let mut is_first = true;
    if input.is_empty() {
        errors.at(
            Span::call_site(),
            format!(
                "missing argument: the name of an action of the catalog, as in `{}`",
                form.example()
            ),
        );
    }
    let list = |input: ParseStream<'_>| {
        comma_separated(input, errors, |input, errors| {
            if std::mem::take(&mut is_first) {
                args.action = Some(ActionName::parse(input, form.example())?);
                return Ok(());
            }
            next(input, &mut args, &mut outcome, errors)
        });
        Ok(())
    };
    if let Err(error) = list.parse2(input) {
        errors.push(error);
    }
    (args, outcome)
}

fn next(
    input: ParseStream<'_>,
    args: &mut Args,
    outcome: &mut Option<Expr>,
    errors: &mut Errors,
) -> syn::Result<()> {
    let ahead = input.fork();
    let name = ahead.call(Ident::parse_any).map_err(|error| {
        syn::Error::new(
            error.span(),
            format!("expected one of `{}`", NAMES.join("`, `")),
        )
    })?;
    match name.to_string().as_str() {
        "target" if ahead.peek(Token![=]) => {
            let message = "`target = \"..\"` names a binding of an audited function; write `target(type = id)` here";
            errors.at(name.span(), message);
            // It counts as present.
            argument(input, args, errors)
        }
        "target" | "metadata" | "actor" | "organization" | "durable" => {
            argument(input, args, errors)
        }
        "outcome" => {
            input.call(Ident::parse_any)?;
            input.parse::<Token![=]>()?;
            if outcome.is_some() {
                errors.at(name.span(), "`outcome` is given twice");
            }
            *outcome = Some(expression(input, errors)?);
            Ok(())
        }
        "action" => Err(syn::Error::new(
            name.span(),
            "the action comes first and has no name, as in `record!(\"document.delete\", ..)`",
        )),
        unknown => {
            let message = format!(
                "unknown argument `{unknown}`; {}",
                hint(unknown, NAMES.into_iter())
            );
            Err(syn::Error::new(name.span(), message))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use audit_catalog::Catalog;

    use super::*;
    use crate::snapshot::expands_to;

    const CATALOG: &str = r#"
[action."document.share"]
targets = ["document", "user"]
denied = "document.share_denied"
metadata.role = "string"
[action."document.share_denied"]
targets = ["document", "user"]
[action."document.delete"]
targets = ["document"]
[action."session.create"]
targets = ["user"]
coalesce = { by = ["target"], window = "60s" }
"#;

    fn found() -> Result<Found, Problem> {
        Ok(Found {
            catalog: Arc::new(Catalog::parse(CATALOG, "audit.toml").unwrap()),
            path: "/project/audit.toml".to_owned(),
        })
    }

    fn expanded(form: Form, arguments: &str) -> TokenStream {
        let input = format!("::audit_core, {arguments}");
        expand(form, input.parse().unwrap(), &found())
    }

    fn messages(arguments: &str) -> Vec<String> {
        let mut errors = Errors::default();
        let (args, _) = parse(Form::Record, arguments.parse().unwrap(), &mut errors);
        plan(args, None, found().as_ref(), &mut errors);
        let strip =
            |message: String| message.replace("\nnote: the catalog is /project/audit.toml", "");
        errors.messages().into_iter().map(strip).collect()
    }

    fn in_a_function(tokens: TokenStream) -> String {
        quote_spanned!(Span::call_site()=> fn f() { #tokens }).to_string()
    }

    #[test]
    fn record() {
        let arguments = r#""document.share", target(document = id), target(user = body.user), metadata(role = display(role)),
            actor = user, organization = org.id, outcome = if done { Outcome::Succeeded } else { Outcome::Failed }"#;
        expands_to("record", &in_a_function(expanded(Form::Record, arguments)));
    }

    #[test]
    fn durable_record() {
        let arguments = r#""document.delete", target(document = id), durable"#;
        let tokens = in_a_function(expanded(Form::Record, arguments));
        expands_to("durable_record", &tokens);
    }

    #[test]
    fn try_record() {
        let arguments = "actions::DOCUMENT_DELETE, target(document = id)";
        expands_to("try_record", &in_a_function(expanded(Form::Try, arguments)));
    }

    #[test]
    fn record_durable() {
        let arguments = r#""document.delete", target(document = id)"#;
        expands_to(
            "record_durable",
            &in_a_function(expanded(Form::Durable, arguments)),
        );
    }

    #[test]
    fn arguments_are_checked_as_in_the_attribute() {
        assert_eq!(
            messages(
                r#""document.share", target(documnt = id), metadata(rol = 1, status = 2), target = "id", outcom = x, action = "a", crate = b, actor = a, actor = b"#
            ),
            [
                "`target = \"..\"` names a binding of an audited function; write `target(type = id)` here",
                "unknown argument `outcom`; did you mean `outcome`?",
                "the action comes first and has no name, as in `record!(\"document.delete\", ..)`",
                "unknown argument `crate`; known: `target`, `metadata`, `actor`, `organization`, `outcome`, `durable`",
                "`actor` is given twice",
                "`document.share` has no target type `documnt`; did you mean `document`?",
                "`document.share` has no metadata `rol`; did you mean `role`?",
                "metadata `status` is reserved, the framework sets it",
                "`document.share` needs metadata `role`, a string; add `metadata(role = value)`, or make it optional in the catalog: `role = \"string?\"`",
            ]
        );
        assert_eq!(
            messages(r#""document.delet", target(document = 1)"#),
            ["unknown action `document.delet`; the catalog has `document.delete`"]
        );
    }

    #[test]
    fn a_coalesced_action_cannot_be_durable() {
        assert_eq!(
            messages(r#""session.create", target(user = id), durable"#),
            [
                "`session.create` has `coalesce` in the catalog, and an event that is held until its window closes is not on disk before the caller continues; remove `durable` here, or `coalesce` in the catalog"
            ]
        );
        assert!(messages(r#""session.create", target(user = id)"#).is_empty());
    }

    #[test]
    fn the_action_comes_first() {
        for wrong in ["", "1", "target(document = id)", ", x"] {
            let found = messages(wrong);
            assert!(
                found[0].contains("the name of an action of the catalog"),
                "{wrong}: {found:?}"
            );
        }
    }

    #[test]
    fn a_missing_target_is_reported_in_the_form_of_the_macro() {
        assert_eq!(
            messages("\"document.delete\""),
            ["`document.delete` needs a target; add `target(document = id)`"]
        );
    }

    #[test]
    fn an_expression_may_not_leave_the_function_or_wait() {
        let found = messages(
            r#""document.delete", target(document = f()?), actor = g().await, outcome = return"#,
        );
        assert_eq!(found.len(), 3, "{found:?}");
    }
}

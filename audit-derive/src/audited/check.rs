//! Checks the arguments against the function and the catalog, and returns a plan to expand.

use audit_catalog::Action;
use proc_macro2::Span;
use syn::LitStr;

use super::args::Args;
use super::context::Context;
use super::explain::explain;
use super::late;
use super::name::ActionName;
use super::plan::Plan;
use super::signature::{self, Function};
use crate::catalog::{Found, Problem};
use crate::errors::Errors;

/// Checks the arguments as far as possible.
///
/// Without a function, names are not resolved; without a catalog, types are not checked.
pub(crate) fn plan(
    args: Args,
    function: Option<&Function>,
    catalog: Result<&Found, &Problem>,
    errors: &mut Errors,
) -> Option<Plan> {
    let action = match (&args.action, catalog) {
        (Some(name), Ok(found)) => name.find(found, errors),
        (Some(name), Err(problem)) => {
            // The mistake is reported at the path, if the attribute names one.
            let span = args.catalog.as_ref().map_or(name.span(), LitStr::span);
            errors.at(span, explain(problem, &name.written(), &args.captures));
            None
        }
        (None, _) => {
            if !args.action_reported {
                errors.at(
                    Span::call_site(),
                    "missing argument: `action = \"..\"`, the name of an action of the catalog",
                );
            }
            None
        }
    };
    if let (Some(durable), Some(action)) = (&args.durable, action)
        && action.coalesce().is_some()
    {
        errors.at(
            durable.span(),
            format!(
                "`{}` has `coalesce` in the catalog, and an event that is held until its window closes is not on disk before the \
                 caller continues; remove `durable` here, or `coalesce` in the catalog{}",
                action.name(),
                catalog.map_or(String::new(), Found::note)
            ),
        );
    }
    let context = Context {
        action,
        catalog: catalog.ok(),
        bindings: function.map(|function| &function.bindings[..]),
    };
    let mut steps: Vec<_> = args
        .captures
        .iter()
        .flat_map(|capture| context.steps(capture, errors))
        .collect();
    let late = function.and_then(|function| {
        late::split(&mut steps, &function.bindings, &function.returns, errors)
    });
    if let (Some(event), Some(signature::Kind::Future { .. })) =
        (&args.event, function.map(|function| &function.kind))
    {
        errors.at(
            event.span(),
            "the body of a function that returns a future cannot access its event, which closes with the future; write `async fn`, or \
             remove `event`",
        );
    }
    let written = args.action?;
    let name = action.map_or_else(|| written.written(), |action| action.name().to_owned());
    let name = LitStr::new(&name, written.span());
    if let Some(action) = action {
        context.completeness(&name, action, &args.captures, errors);
    }
    Some(Plan {
        deprecated: action.and_then(Action::deprecated).map(str::to_owned),
        durable: args.durable.is_some() || action.is_some_and(Action::is_durable),
        denied: action.and_then(Action::denied).map(str::to_owned),
        constant: match written {
            ActionName::Literal(_) => None,
            ActionName::Constant(path) => Some(path),
        },
        action: name,
        facade: args.facade,
        on: args.on.unwrap_or_default(),
        error: args.error,
        event: args.event,
        outcome: args.outcome,
        steps,
        late,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use audit_catalog::Catalog;
    use proc_macro2::TokenStream;
    use quote::{ToTokens, quote};

    use super::*;
    use crate::audited::args;
    use crate::audited::plan::Call;

    const CATALOG: &str = r#"
[action."document.delete"]
targets = ["document"]

[action."document.share"]
targets = ["document", "api-key"]
[action."document.share".metadata]
role = "string"
pages = "number?"
notify = "boolean?"
"#;

    fn check(attribute: TokenStream, item: TokenStream) -> (Option<Plan>, Vec<String>) {
        let catalog = Arc::new(Catalog::parse(CATALOG, "audit.toml").unwrap());
        let found = Found {
            catalog,
            path: "/x/audit.toml".to_owned(),
        };
        with_catalog(attribute, item, Ok(&found))
    }

    fn with_catalog(
        attribute: TokenStream,
        item: TokenStream,
        catalog: Result<&Found, &Problem>,
    ) -> (Option<Plan>, Vec<String>) {
        let mut errors = Errors::default();
        let args = args::parse(attribute, &mut errors);
        let function = signature::parse(item).ok().unwrap();
        let plan = plan(args, Some(&function), catalog, &mut errors);
        (plan, errors.messages())
    }

    fn messages(attribute: TokenStream, item: TokenStream) -> Vec<String> {
        // The note is always the same and has its own test.
        let strip = |message: String| message.replace("\nnote: the catalog is /x/audit.toml", "");
        check(attribute, item).1.into_iter().map(strip).collect()
    }

    fn steps(attribute: TokenStream, item: TokenStream) -> Vec<(Call, String)> {
        let (plan, messages) = check(attribute, item);
        assert_eq!(messages, [] as [&str; 0]);
        let steps = plan.unwrap().steps.into_iter();
        steps
            .map(|step| (step.call, step.value.to_token_stream().to_string()))
            .collect()
    }

    #[test]
    fn metadata_has_the_kind_of_the_catalog() {
        let attribute = quote!(
            action = "document.share",
            target("api-key" = k),
            metadata(role = display(r), pages = 1, notify = on),
            actor = user,
            organization = &org.id
        );
        let calls: Vec<_> = steps(
            attribute,
            quote!(
                fn f() {}
            ),
        )
        .into_iter()
        .map(|(call, _)| call)
        .collect();
        assert_eq!(
            calls,
            [
                Call::Target("api-key".to_owned()),
                Call::Display("role".to_owned()),
                Call::Number("pages".to_owned()),
                Call::Boolean("notify".to_owned()),
                Call::Actor,
                Call::Organization,
            ]
        );
    }

    #[test]
    fn all_mistakes_are_reported_at_once() {
        let attribute = quote!(
            action = "document.share",
            target = "id",
            target(documnt = x),
            metadata(pagse = 1, notify = a, notify = b),
            metadata(status = 1, pages = display(p)),
            actr = c
        );
        assert_eq!(
            messages(
                attribute,
                quote!(
                    fn f(ids: u8) {}
                )
            ),
            [
                "unknown argument `actr`; did you mean `actor`?",
                "`document.share` allows several target types; name the type: `target(document = id)` or `target(\"api-key\" = id)`",
                "the function binds no `id`; did you mean `ids`?",
                "`document.share` has no target type `documnt`; did you mean `document`?",
                "`document.share` has no metadata `pagse`; did you mean `pages`?",
                "metadata `status` is reserved, the framework sets it",
                "`display(..)` makes text, but metadata `pages` is a number; give the value itself",
                "metadata `notify` is given twice",
                "`document.share` needs metadata `role`, a string; add `metadata(role = value)`, or make it optional in the catalog: \
                 `role = \"string?\"`",
            ]
        );
    }

    #[test]
    fn an_unknown_action_names_the_nearest_and_the_catalog() {
        let (_, found) = check(
            quote!(action = "document.delet", target = "x"),
            quote!(
                fn f(x: X) {}
            ),
        );
        assert_eq!(
            found,
            [
                "unknown action `document.delet`; the catalog has `document.delete`\nnote: the catalog is /x/audit.toml"
            ]
        );
        let found = messages(
            quote!(action = "invoice.pay"),
            quote!(
                fn f() {}
            ),
        );
        assert_eq!(
            found,
            ["unknown action `invoice.pay`; declare it in the catalog: `[action.\"invoice.pay\"]`"]
        );
    }

    #[test]
    fn an_action_and_a_target_are_required() {
        let missing = "missing argument: `action = \"..\"`, the name of an action of the catalog";
        assert_eq!(
            messages(
                quote!(),
                quote!(
                    fn f() {}
                )
            ),
            [missing]
        );
        assert_eq!(
            messages(
                quote!(target = "y"),
                quote!(
                    fn f(x: X) {}
                )
            )
            .len(),
            2
        );
        assert_eq!(
            messages(
                quote!(acton = "document.delete"),
                quote!(
                    fn f() {}
                )
            )
            .len(),
            1
        );
        assert_eq!(
            messages(
                quote!(action = "document.delete"),
                quote!(
                    fn f() {}
                )
            ),
            ["`document.delete` needs a target; add `target = \"binding\"`"]
        );
    }

    #[test]
    fn without_a_catalog_there_is_one_error_and_a_sample() {
        let missing = Problem::Missing(vec!["/x/a/audit.toml".into(), "/x/audit.toml".into()]);
        let attribute = quote!(
            action = "document.share",
            target(document = x),
            metadata(role = r)
        );
        let (_, found) = with_catalog(
            attribute,
            quote!(
                fn f() {}
            ),
            Err(&missing),
        );
        let [message] = &found[..] else {
            panic!("{found:?}")
        };
        assert!(
            message.starts_with(
                "no audit catalog; looked for\n  /x/a/audit.toml\n  /x/audit.toml\nhelp: "
            ),
            "{message}"
        );
        let (_, sample) = message.split_once("\n\n").unwrap();
        let catalog = Catalog::parse(sample, "sample").unwrap();
        let action = catalog.action("document.share").unwrap();
        assert!(action.target("document").is_some() && action.field("role").is_some());
    }

    #[test]
    fn a_broken_catalog_does_not_hide_mistakes_in_the_attribute() {
        let broken = Problem::Unusable("the audit catalog has mistakes:\nx".to_owned());
        let (_, found) = with_catalog(
            quote!(action = "nothing", target = "y"),
            quote!(
                fn f(x: X) {}
            ),
            Err(&broken),
        );
        assert_eq!(
            found,
            [
                "the audit catalog has mistakes:\nx",
                "the function binds no `y`; known: `x`"
            ]
        );
    }
}

//! Expands `action!("document.delete")`: a checked action name as a constant.

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
use syn::LitStr;
use syn::parse::{ParseStream, Parser};

use crate::audited::calls::deprecated;
use crate::audited::explain::explain;
use crate::audited::name::ActionName;
use crate::catalog::{Found, Problem};
use crate::errors::Errors;
use crate::function_like;

/// Expands the macro; `input` is the facade, a comma, and the arguments.
pub(crate) fn expand(input: TokenStream, catalog: &Result<Found, Problem>) -> TokenStream {
    let (facade, input) = function_like::split(input);
    let mut errors = Errors::default();
    match checked(input, catalog, &mut errors) {
        Some((found, name)) => {
            let value = name.value();
            let watch = function_like::watch([found.path.as_str()]);
            let note = found
                .catalog
                .action(&value)
                .and_then(|action| action.deprecated());
            let warning = note.map(|note| deprecated(&name, note));
            quote_spanned!(Span::mixed_site()=> { #watch #warning #facade::private::Action::checked(#value) })
        }
        None => errors.into_expression(),
    }
}

fn checked<'a>(
    input: TokenStream,
    catalog: &'a Result<Found, Problem>,
    errors: &mut Errors,
) -> Option<(&'a Found, LitStr)> {
    let parser = |input: ParseStream<'_>| {
        let name = ActionName::parse(input, "action!(\"document.delete\")")?;
        if input.is_empty() {
            Ok(name)
        } else {
            Err(input.error("`action!` takes the name of one action and nothing else"))
        }
    };
    let name = match parser.parse2(input) {
        Ok(ActionName::Literal(name)) => name,
        Ok(constant) => {
            errors.at(
                constant.span(),
                "expected a name in quotes; a constant is an `Action` already",
            );
            return None;
        }
        Err(error) => {
            errors.push(error);
            return None;
        }
    };
    match catalog {
        Ok(found) => {
            ActionName::Literal(name.clone()).find(found, errors)?;
            Some((found, name))
        }
        Err(problem) => {
            errors.at(name.span(), explain(problem, &name.value(), &[]));
            None
        }
    }
}

//! Runs the steps of `#[audited]`; after a mistake, returns the item unchanged beside the errors.

use proc_macro2::TokenStream;

use super::{args, check, expand, signature};
use crate::catalog::{Found, Problem};
use crate::errors::Errors;

/// Expands `#[audited(attribute)] item`.
///
/// The item is kept despite mistakes in its attribute, so that its callers cause no further errors.
pub(crate) fn attribute(
    facade: &str,
    attribute: TokenStream,
    item: TokenStream,
    catalog: impl FnOnce(Option<&str>) -> Result<Found, Problem>,
) -> TokenStream {
    let mut errors = Errors::default();
    let args = args::parse(attribute, &mut errors);
    let function = match signature::parse(item.clone()) {
        Ok(function) => Some(function),
        Err(error) => {
            errors.push(error);
            None
        }
    };
    let named = args.catalog.as_ref().map(syn::LitStr::value);
    let catalog = catalog(named.as_deref());
    let plan = check::plan(args, function.as_ref(), catalog.as_ref(), &mut errors);
    match (plan, function, &catalog) {
        (Some(plan), Some(function), Ok(found)) if errors.is_empty() => {
            expand::expand(&plan, function, facade, &found.path)
        }
        _ => {
            let mut tokens = errors.into_tokens();
            tokens.extend(item);
            tokens
        }
    }
}

//! Separates the values of a successful result: those that mention `ok`.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens;

use super::bindings::Binding;
use super::plan::{Late, Step};
use super::signature::Returns;
use crate::errors::Errors;

/// The name of the value of a successful result.
pub(crate) const OK: &str = "ok";

/// Removes the steps that mention `ok` from the others.
///
/// If there is a parameter of that name, `ok` refers to the parameter, and no step is removed.
pub(crate) fn split(
    steps: &mut Vec<Step>,
    bindings: &[Binding],
    returns: &Returns,
    errors: &mut Errors,
) -> Option<Late> {
    if bindings.iter().any(|binding| binding.name() == OK) {
        return None;
    }
    let mut first = None;
    let late: Vec<_> = steps
        .extract_if(.., |step| {
            let ok = mentioned(step.value.to_token_stream());
            let about = step
                .about
                .iter()
                .find_map(|(_, value)| mentioned(value.to_token_stream()));
            if let (None, Some(about)) = (&ok, about) {
                errors.at(
                    about.span(),
                    "the target's id is known before the result, so its name and metadata cannot use `ok`",
                );
            }
            let is_late = ok.is_some();
            first = first.take().or(ok);
            is_late
        })
        .collect();
    let ok = first?;
    if !matches!(returns, Returns::Value(_)) {
        errors.at(
            ok.span(),
            "`ok` is the value of a successful result, and the function returns no `Result`",
        );
    }
    Some(Late { ok, steps: late })
}

/// Finds the variable `ok`, also in the arguments of a macro.
///
/// The tokens suffice: a variable is an identifier that does not follow `.` or `::`, and is not
/// followed by `:` or `!`.
fn mentioned(tokens: TokenStream) -> Option<Ident> {
    let mut tokens = tokens.into_iter().peekable();
    let mut before = None;
    let mut is_member = false;
    while let Some(token) = tokens.next() {
        let punct = match &token {
            TokenTree::Group(group) => {
                if let Some(found) = mentioned(group.stream()) {
                    return Some(found);
                }
                None
            }
            TokenTree::Ident(ident) if ident == OK && !is_member => {
                let next = tokens.peek().and_then(as_char);
                if !matches!(next, Some(':' | '!')) {
                    return Some(ident.clone());
                }
                None
            }
            other => as_char(other),
        };
        // The `.` of a field and the `::` of a path; not the `..` of a range, nor the `:` of a
        // field initializer.
        is_member = matches!((before, punct), (Some(':'), Some(':')))
            || (punct == Some('.') && before != Some('.'));
        before = punct;
    }
    None
}

fn as_char(token: &TokenTree) -> Option<char> {
    match token {
        TokenTree::Punct(punct) => Some(punct.as_char()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::*;

    #[test]
    fn only_the_variable_counts() {
        for late in [
            quote!(ok),
            quote!(ok.id),
            quote!(f(1, &ok.0)),
            quote!(format!("{}", ok)),
            quote!(S { id: ok.id }),
            quote!((0..ok.len()).len()),
        ] {
            assert!(mentioned(late.clone()).is_some(), "{late}");
        }
        for early in [
            quote!(id.ok()),
            quote!(body.ok),
            quote!(ok::id()),
            quote!(path::ok),
            quote!(ok!(1)),
            quote!(S { ok: 1 }),
            quote!("ok"),
        ] {
            assert!(mentioned(early.clone()).is_none(), "{early}");
        }
    }
}

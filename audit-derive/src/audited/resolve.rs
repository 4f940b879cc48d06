//! Resolves a name in quotes, such as `"body.id"`, to an expression.

use quote::quote_spanned;
use syn::{Attribute, Expr, Ident, Index, LitStr, Member};

use super::bindings::Binding;
use super::late::OK;
use crate::errors::{Errors, hint};

/// Resolves `name`, or `name.field.0`, to an expression.
///
/// The expression has the position of the string and the hygiene of the signature. There is one for
/// each parameter that binds the name, with its `#[cfg(..)]`; none after a mistake.
pub(crate) fn resolve(
    name: &LitStr,
    bindings: &[Binding],
    errors: &mut Errors,
) -> Vec<(Vec<Attribute>, Expr)> {
    let written = name.value();
    let mut parts = written
        .split('.')
        .map(|part| part.strip_prefix("r#").unwrap_or(part));
    let root = parts.next().unwrap_or_default();
    let fields: Option<Vec<Member>> = parts.map(|part| member(part, name)).collect();
    let (Some(fields), true) = (fields, root == "self" || ident(root, name).is_some()) else {
        let message =
            "names a binding of the function or a field of one, such as `id` or `body.id`";
        let remedy = "an expression is written `target(type = expression)`";
        errors.at(
            name.span(),
            format!("`target = \"..\"` {message}; {remedy}"),
        );
        return Vec::new();
    };
    let mut values: Vec<_> = bindings
        .iter()
        .filter(|binding| binding.name() == root)
        .map(|binding| (binding.cfgs.clone(), expression(binding, &fields, name)))
        .collect();
    if values.is_empty() && root == OK {
        let ok = Ident::new(OK, name.span());
        values.push((
            Vec::new(),
            Expr::Verbatim(quote_spanned!(name.span()=> #ok #(.#fields)*)),
        ));
    }
    if values.is_empty() {
        let message = if root == "self" {
            "the function has no `self`".to_owned()
        } else {
            let names: Vec<_> = bindings
                .iter()
                .map(Binding::name)
                .filter(|name| name != "self")
                .collect();
            let known = names.iter().map(String::as_str);
            format!("the function binds no `{root}`; {}", hint(root, known))
        };
        errors.at(name.span(), message);
    }
    values
}

fn expression(binding: &Binding, fields: &[Member], name: &LitStr) -> Expr {
    let mut root = binding.ident.clone();
    // The hygiene of the signature and the position of the string, where errors about the value are
    // shown.
    root.set_span(root.span().located_at(name.span()));
    if fields.is_empty() {
        // A plain name is recorded with less code.
        return Expr::Path(syn::ExprPath {
            attrs: Vec::new(),
            qself: None,
            path: root.into(),
        });
    }
    Expr::Verbatim(quote_spanned!(name.span()=> #root #(.#fields)*))
}

fn member(part: &str, name: &LitStr) -> Option<Member> {
    if !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()) {
        let index = part.parse().ok()?;
        return Some(Member::Unnamed(Index {
            index,
            span: name.span(),
        }));
    }
    ident(part, name).map(Member::Named)
}

/// Returns an identifier at the position of the string, raw if it is a keyword.
fn ident(part: &str, name: &LitStr) -> Option<Ident> {
    if syn::parse_str::<Ident>(part).is_ok() {
        Some(Ident::new(part, name.span()))
    } else if syn::parse_str::<Ident>(&format!("r#{part}")).is_ok() {
        Some(Ident::new_raw(part, name.span()))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use proc_macro2::{Span, TokenStream};
    use quote::{ToTokens, quote};

    use super::*;
    use crate::audited::signature;

    fn resolved(name: &str, item: TokenStream) -> Result<Vec<String>, String> {
        let function = signature::parse(item).ok().unwrap();
        let mut errors = Errors::default();
        let values = resolve(
            &LitStr::new(name, Span::call_site()),
            &function.bindings,
            &mut errors,
        );
        match errors.messages().pop() {
            Some(message) => Err(message),
            None => Ok(values
                .iter()
                .map(|(_, value)| value.to_token_stream().to_string().replace(' ', ""))
                .collect()),
        }
    }

    #[test]
    fn a_binding_or_a_field_of_one_is_resolved() {
        let one = |name, item| resolved(name, item).unwrap().pop().unwrap();
        assert_eq!(
            one(
                "id",
                quote!(
                    fn f(Path(id): Path<Uuid>) {}
                )
            ),
            "id"
        );
        assert_eq!(
            one(
                "body.pair.0.1.id",
                quote!(
                    fn f(body: Body) {}
                )
            ),
            "body.pair.0.1.id"
        );
        assert_eq!(
            one(
                "self.tenant",
                quote!(
                    fn f(self: Arc<Self>) {}
                )
            ),
            "self.tenant"
        );
        assert_eq!(
            one(
                "type",
                quote!(
                    fn f(r#type: String) {}
                )
            ),
            "r#type"
        );
        assert_eq!(
            one(
                "r#type.match",
                quote!(
                    fn f(r#type: T) {}
                )
            ),
            "r#type.r#match"
        );
    }

    #[test]
    fn all_parameters_of_a_name_are_resolved() {
        let item = quote!(
            fn f(#[cfg(a)] id: u8, #[cfg(not(a))] id: u16) {}
        );
        assert_eq!(resolved("id", item).unwrap(), ["id", "id"]);
    }

    #[test]
    fn an_unknown_binding_names_the_nearest() {
        let found = |name| {
            resolved(
                name,
                quote!(
                    fn f(doc_id: u8, body: B) {}
                ),
            )
            .unwrap_err()
        };
        assert_eq!(
            found("doc_di"),
            "the function binds no `doc_di`; did you mean `doc_id`?"
        );
        assert_eq!(
            found("zzz.id"),
            "the function binds no `zzz`; known: `doc_id`, `body`"
        );
        assert_eq!(found("self.id"), "the function has no `self`");
        assert_eq!(
            resolved(
                "x",
                quote!(
                    fn f() {}
                )
            )
            .unwrap_err(),
            "the function binds no `x`; there is none"
        );
        for odd in [
            "",
            "a b",
            "body.id()",
            ".",
            "body.",
            "1",
            "super",
            "body.0x1",
            "&body",
            "body.99999999999",
        ] {
            assert!(
                found(odd).starts_with("`target = \"..\"` names a binding"),
                "{odd}: {}",
                found(odd)
            );
        }
    }
}

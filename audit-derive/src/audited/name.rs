//! The name of an action: a string literal, or the constant that `catalog!` generates.

use audit_catalog::Action;
use proc_macro2::Span;
use syn::parse::ParseStream;
use syn::spanned::Spanned;
use syn::{Expr, ExprLit, LitStr};

use crate::catalog::Found;
use crate::errors::{Errors, hint};
use crate::parsing::lone_string;

pub(crate) enum ActionName {
    /// `"document.delete"`
    Literal(LitStr),
    /// `actions::DOCUMENT_DELETE`
    Constant(syn::Path),
}

impl ActionName {
    /// Parses either form; `example` is shown in the error.
    pub(crate) fn parse(input: ParseStream<'_>, example: &str) -> syn::Result<Self> {
        if let Some(name) = lone_string(input) {
            return Ok(Self::Literal(name));
        }
        let message = format!("expected the name of an action of the catalog, such as `{example}`");
        let wrong = |span| syn::Error::new(span, &message);
        if input.is_empty() {
            return Err(wrong(input.span()));
        }
        match input.parse::<Expr>() {
            Ok(Expr::Lit(ExprLit {
                lit: syn::Lit::Str(name),
                ..
            })) if name.suffix().is_empty() => Ok(Self::Literal(name)),
            Ok(Expr::Path(path)) if path.qself.is_none() => Ok(Self::Constant(path.path)),
            Ok(other) => Err(wrong(other.span())),
            Err(error) => Err(wrong(error.span())),
        }
    }

    /// Returns the span for messages about the action.
    pub(crate) fn span(&self) -> Span {
        match self {
            Self::Literal(name) => name.span(),
            Self::Constant(path) => path
                .segments
                .last()
                .map_or_else(|| path.span(), |last| last.ident.span()),
        }
    }

    /// Returns the name, or the last segment of the constant's path.
    pub(crate) fn written(&self) -> String {
        match self {
            Self::Literal(name) => name.value(),
            Self::Constant(path) => path
                .segments
                .last()
                .map_or(String::new(), |last| last.ident.to_string()),
        }
    }

    /// Finds the action in the catalog, and reports an unknown one.
    pub(crate) fn find<'a>(&self, found: &'a Found, errors: &mut Errors) -> Option<&'a Action> {
        let written = self.written();
        let (action, message) = match self {
            Self::Literal(_) => {
                let action = found.catalog.action(&written);
                let hint = || match found.catalog.nearest_action(&written) {
                    Some(meant) => format!("the catalog has `{meant}`"),
                    None => format!("declare it in the catalog: `[action.\"{written}\"]`"),
                };
                (
                    action,
                    action
                        .is_none()
                        .then(|| format!("unknown action `{written}`; {}", hint())),
                )
            }
            Self::Constant(_) => {
                let action = found.catalog.action_of_constant(&written);
                let known = || {
                    let constants: Vec<_> = found.catalog.actions().map(Action::constant).collect();
                    hint(&written, constants.iter().map(String::as_str))
                };
                let message = || {
                    format!(
                        "no action of the catalog has the constant `{written}`; {}",
                        known()
                    )
                };
                (action, action.is_none().then(message))
            }
        };
        if let Some(message) = message {
            errors.at(self.span(), format!("{message}{}", found.note()));
        }
        action
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use audit_catalog::Catalog;
    use syn::parse::Parser;

    use super::*;

    fn named(written: &str) -> Result<String, String> {
        let text = "action.\"document.delete\".targets = [\"t\"]\naction.login.targets = [\"t\"]";
        let found = Found {
            catalog: Arc::new(Catalog::parse(text, "audit.toml").unwrap()),
            path: "/x/audit.toml".to_owned(),
        };
        let mut errors = Errors::default();
        let name = (|input: ParseStream<'_>| ActionName::parse(input, "..")).parse_str(written);
        let name = name.map_err(|error| error.to_string())?;
        let action = name
            .find(&found, &mut errors)
            .map(|action| action.name().to_owned());
        action.ok_or_else(|| errors.messages().pop().unwrap())
    }

    #[test]
    fn a_name_and_its_constant_are_the_same_action() {
        for written in [
            "\"document.delete\"",
            "DOCUMENT_DELETE",
            "a::b::DOCUMENT_DELETE",
            "crate::DOCUMENT_DELETE",
        ] {
            assert_eq!(named(written).unwrap(), "document.delete", "{written}");
        }
    }

    #[test]
    fn an_unknown_constant_names_the_nearest() {
        assert_eq!(
            named("actions::DOCUMENT_DELET").unwrap_err(),
            "no action of the catalog has the constant `DOCUMENT_DELET`; did you mean `DOCUMENT_DELETE`?\nnote: the catalog is /x/audit.toml"
        );
        assert!(
            named("X")
                .unwrap_err()
                .contains("known: `DOCUMENT_DELETE`, `LOGIN`")
        );
    }

    #[test]
    fn nothing_else_names_an_action() {
        for wrong in [
            "",
            "1",
            "b\"a\"",
            "\"a\"x",
            "concat!(\"a\")",
            "<A as B>::C",
            "=",
        ] {
            let message = named(wrong).unwrap_err();
            assert!(
                message.starts_with("expected the name of an action"),
                "{wrong}: {message}"
            );
        }
    }
}

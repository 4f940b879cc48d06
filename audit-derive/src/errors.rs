//! Collects mistakes, so that one compilation reports all of them.

use std::fmt::Display;

use audit_catalog::nearest;
use proc_macro2::{Span, TokenStream};

/// The mistakes found so far in one attribute.
#[derive(Debug, Default)]
pub(crate) struct Errors(Vec<syn::Error>);

impl Errors {
    /// Adds a mistake at `span`.
    pub(crate) fn at(&mut self, span: Span, message: impl Display) {
        self.push(syn::Error::new(span, message));
    }

    /// Adds an error of the parser.
    pub(crate) fn push(&mut self, error: syn::Error) {
        self.0.push(error);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns one `compile_error!` for each mistake, as items.
    pub(crate) fn into_tokens(self) -> TokenStream {
        self.0.iter().map(syn::Error::to_compile_error).collect()
    }

    /// Returns one `compile_error!` for each mistake, as an expression of any type.
    pub(crate) fn into_expression(self) -> TokenStream {
        let errors = self.into_tokens();
        quote::quote!({ #errors })
    }

    /// Returns the messages in the order they were added.
    #[cfg(test)]
    pub(crate) fn messages(&self) -> Vec<String> {
        self.0.iter().map(ToString::to_string).collect()
    }
}

/// Returns `did you mean ..?` with the most similar known name, or else all known names.
pub(crate) fn hint<'a>(word: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    match nearest(word, known.clone()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => {
            let known: Vec<_> = known.map(|name| format!("`{name}`")).collect();
            if known.is_empty() {
                "there is none".to_owned()
            } else {
                format!("known: {}", known.join(", "))
            }
        }
    }
}

//! Checks that the arguments provide all that the catalog requires, each once.

use audit_catalog::{Action, Field};
use proc_macro2::Span;
use syn::LitStr;

use super::captures::{Capture, Key, quoted_key};
use super::context::Context;
use crate::errors::Errors;

impl Context<'_> {
    /// Reports a missing target, and metadata that is missing or given twice.
    pub(super) fn completeness(
        &self,
        name: &LitStr,
        action: &Action,
        captures: &[Capture],
        errors: &mut Errors,
    ) {
        if !captures
            .iter()
            .any(|capture| matches!(capture, Capture::Binding(_) | Capture::Target(_)))
        {
            let remedy = match action.targets() {
                [_] if self.bindings.is_some() => "add `target = \"binding\"`".to_owned(),
                several => {
                    let choices: Vec<_> = several
                        .iter()
                        .map(|kind| format!("`target({} = id)`", quoted_key(kind.name())))
                        .collect();
                    format!("add {}", choices.join(" or "))
                }
            };
            errors.at(
                name.span(),
                format!("`{}` needs a target; {remedy}", action.name()),
            );
        }
        let metadata = captures.iter().filter_map(|capture| match capture {
            Capture::Metadata(key, _) => Some(key),
            _ => None,
        });
        let owner = format!("`{}`", action.name());
        self.fields(name.span(), &owner, action.metadata(), metadata, errors);
        for capture in captures {
            match capture {
                Capture::Target(target) => {
                    let Some(kind) = action.target(&target.kind.name) else {
                        continue;
                    };
                    let owner = format!("target type `{}`", kind.name());
                    let given = target.metadata.iter().map(|(key, _)| key);
                    self.fields(target.kind.span, &owner, kind.metadata(), given, errors);
                }
                Capture::Binding(name) => {
                    if let [kind] = action.targets() {
                        let owner = format!(
                            "target type `{}`, written `target({} = {}, metadata(..))`,",
                            kind.name(),
                            quoted_key(kind.name()),
                            name.value()
                        );
                        let given = std::iter::empty();
                        self.fields(name.span(), &owner, kind.metadata(), given, errors);
                    }
                }
                _ => {}
            }
        }
    }

    /// Checks the metadata of one owner: each key once, and none missing.
    fn fields<'k>(
        &self,
        span: Span,
        owner: &str,
        fields: &[Field],
        keys: impl Iterator<Item = &'k Key>,
        errors: &mut Errors,
    ) {
        let mut given: Vec<&str> = Vec::new();
        for key in keys {
            if given.contains(&key.name.as_str()) {
                errors.at(key.span, format!("metadata `{}` is given twice", key.name));
            }
            given.push(&key.name);
        }
        let missing = |field: &&Field| !field.is_optional() && !given.contains(&field.key());
        for field in fields.iter().filter(missing) {
            let (field, kind) = (field.key(), field.kind());
            let message = format!(
                "{owner} needs metadata `{field}`, a {kind}; add `metadata({} = value)`",
                quoted_key(field)
            );
            let remedy = format!("or make it optional in the catalog: `{field} = \"{kind}?\"`");
            errors.at(span, format!("{message}, {remedy}{}", self.note()));
        }
    }
}

//! Checks single arguments against the action, its catalog, and the function's bindings.

use audit_catalog::{Action, Field, Kind, RESERVED_METADATA, Target as TargetType};
use syn::{Expr, LitStr};

use super::bindings::Binding;
use super::captures::{Capture, Key, Target, Value, quoted_key};
use super::plan::{Call, Step};
use super::resolve::resolve;
use crate::catalog::Found;
use crate::errors::{Errors, hint};

pub(super) struct Context<'a> {
    pub(super) action: Option<&'a Action>,
    pub(super) catalog: Option<&'a Found>,
    pub(super) bindings: Option<&'a [Binding]>,
}

impl Context<'_> {
    /// Returns the line of a message that names the catalog.
    pub(super) fn note(&self) -> String {
        self.catalog.map_or(String::new(), Found::note)
    }

    /// Returns the steps of one argument; none after a mistake.
    ///
    /// Only a name can have several steps: the compiler has not evaluated `#[cfg(..)]` yet, so
    /// several parameters may have the same name.
    pub(super) fn steps(&self, capture: &Capture, errors: &mut Errors) -> Vec<Step> {
        let step = |call, value: &Expr| {
            vec![Step {
                cfgs: Vec::new(),
                call,
                value: value.clone(),
                about: Vec::new(),
            }]
        };
        match capture {
            Capture::Binding(name) => self.binding(name, errors),
            Capture::Target(target) => self.target(target, errors),
            Capture::Metadata(key, value) => {
                let field = self.field(key, errors);
                let call = field.and_then(|field| self.value(field, key, value, errors));
                call.map_or(Vec::new(), |(call, value)| step(call, value))
            }
            Capture::Actor(principal) => step(Call::Actor, principal),
            Capture::Organization(id) => step(Call::Organization, id),
        }
    }

    fn binding(&self, name: &LitStr, errors: &mut Errors) -> Vec<Step> {
        // Without a function the name cannot be resolved; the missing function has been reported.
        let Some(bindings) = self.bindings else {
            return Vec::new();
        };
        let kind = self.action.and_then(|action| match action.targets() {
            [only] => Some(only.name()),
            several => {
                let written = name.value();
                let choices: Vec<_> = several
                    .iter()
                    .map(|kind| format!("`target({} = {written})`", quoted_key(kind.name())))
                    .collect();
                let message = format!(
                    "`{}` allows several target types; name the type: {}",
                    action.name(),
                    choices.join(" or ")
                );
                errors.at(name.span(), format!("{message}{}", self.note()));
                None
            }
        });
        let values = resolve(name, bindings, errors);
        let Some(kind) = kind else { return Vec::new() };
        let target = |(cfgs, value)| Step {
            cfgs,
            call: Call::Target(kind.to_owned()),
            value,
            about: Vec::new(),
        };
        values.into_iter().map(target).collect()
    }

    fn target(&self, target: &Target, errors: &mut Errors) -> Vec<Step> {
        let kind = self.target_type(&target.kind, errors);
        let name = target.name.iter().map(|name| match name {
            Value::Plain(name) => (Call::Name { display: false }, name.clone()),
            Value::Display(name, _) => (Call::Name { display: true }, name.clone()),
        });
        let mut about: Vec<_> = name.collect();
        for (key, value) in &target.metadata {
            let Some(kind) = kind else { continue };
            let owner = format!("target type `{}`", kind.name());
            let field = self.known_field(kind.metadata(), &owner, key, errors);
            let call = field.and_then(|field| self.value(field, key, value, errors));
            about.extend(call.map(|(call, value)| (call, value.clone())));
        }
        let name = target.kind.name.clone();
        vec![Step {
            cfgs: Vec::new(),
            call: if target.each {
                Call::Targets(name)
            } else {
                Call::Target(name)
            },
            value: target.id.clone(),
            about,
        }]
    }

    /// Returns the runtime function for a metadata value.
    fn value<'v>(
        &self,
        field: &Field,
        key: &Key,
        value: &'v Value,
        errors: &mut Errors,
    ) -> Option<(Call, &'v Expr)> {
        let name = key.name.clone();
        match (value, field.kind()) {
            (Value::Plain(value), Kind::Number) => Some((Call::Number(name), value)),
            (Value::Plain(value), Kind::Boolean) => Some((Call::Boolean(name), value)),
            (Value::Plain(value), _) => Some((Call::Text(name), value)),
            (Value::Display(value, _), Kind::String) => Some((Call::Display(name), value)),
            (Value::Display(_, span), kind) => {
                let message = format!(
                    "`display(..)` makes text, but metadata `{name}` is a {kind}; give the value itself"
                );
                errors.at(*span, format!("{message}{}", self.note()));
                None
            }
        }
    }

    fn target_type(&self, key: &Key, errors: &mut Errors) -> Option<&TargetType> {
        let action = self.action?;
        if let Some(known) = action.target(&key.name) {
            return Some(known);
        }
        let known = action.targets().iter().map(|target| target.name());
        let message = format!(
            "`{}` has no target type `{}`; {}",
            action.name(),
            key.name,
            hint(&key.name, known)
        );
        errors.at(key.span, format!("{message}{}", self.note()));
        None
    }

    fn field(&self, key: &Key, errors: &mut Errors) -> Option<&Field> {
        let action = self.action?;
        if RESERVED_METADATA
            .iter()
            .any(|(reserved, _)| *reserved == key.name)
        {
            let message = format!("metadata `{}` is reserved, the framework sets it", key.name);
            errors.at(key.span, format!("{message}{}", self.note()));
            return None;
        }
        let owner = format!("`{}`", action.name());
        self.known_field(action.metadata(), &owner, key, errors)
    }

    fn known_field<'f>(
        &self,
        fields: &'f [Field],
        owner: &str,
        key: &Key,
        errors: &mut Errors,
    ) -> Option<&'f Field> {
        let field = fields.iter().find(|field| field.key() == key.name);
        if field.is_none() {
            let known = fields.iter().map(Field::key);
            let message = format!(
                "{owner} has no metadata `{}`; {}",
                key.name,
                hint(&key.name, known)
            );
            errors.at(key.span, format!("{message}{}", self.note()));
        }
        field
    }
}

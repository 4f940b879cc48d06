//! The checked plan of an expansion.

use syn::{Attribute, Expr, Ident, LitStr};

/// The checked content of an attribute.
pub(crate) struct Plan {
    pub(crate) action: LitStr,
    /// The constant that names the action, if it is not a literal.
    pub(crate) constant: Option<syn::Path>,
    /// The action under which a denial is recorded, if it is another one.
    pub(crate) denied: Option<String>,
    /// `true` if the event is on disk before the caller continues.
    pub(crate) durable: bool,
    /// The note with the replacement, if the action is deprecated.
    pub(crate) deprecated: Option<String>,
    /// The crate that generated paths start with, if the attribute names one.
    pub(crate) facade: Option<syn::Path>,
    /// The outcomes that are recorded; all if it is empty.
    pub(crate) on: Vec<Ident>,
    /// The word `display` of `error = display`, if the text of an error is recorded.
    pub(crate) error: Option<Ident>,
    /// The name of the draft in the body.
    pub(crate) event: Option<Ident>,
    /// The function that returns the outcome.
    pub(crate) outcome: Option<syn::ExprPath>,
    /// The values recorded on entry.
    pub(crate) steps: Vec<Step>,
    /// The values recorded after the function succeeded.
    pub(crate) late: Option<Late>,
}

/// One value to record.
pub(crate) struct Step {
    pub(crate) cfgs: Vec<Attribute>,
    pub(crate) call: Call,
    pub(crate) value: Expr,
    /// The name and metadata of a target.
    pub(crate) about: Vec<(Call, Expr)>,
}

/// The values that are read from a successful result.
pub(crate) struct Late {
    /// The identifier `ok` in the attribute, whose hygiene the pattern needs.
    pub(crate) ok: Ident,
    pub(crate) steps: Vec<Step>,
}

impl Step {
    /// Returns `true` if the value is a name or a literal, so that a reference to it runs no code.
    pub(crate) fn is_a_name(&self) -> bool {
        let is_iterated = matches!(self.call, Call::Targets(_));
        let is_name = match &self.value {
            Expr::Path(path) => path.qself.is_none() && path.path.get_ident().is_some(),
            Expr::Lit(_) => true,
            _ => false,
        };
        is_name && !is_iterated
    }
}

/// The function of the runtime that records the value, with its target type or key.
#[derive(Debug, PartialEq)]
pub(crate) enum Call {
    Target(String),
    /// Each item of a collection.
    Targets(String),
    /// The name of a target, through `Display` or as text.
    Name {
        display: bool,
    },
    Text(String),
    Number(String),
    Boolean(String),
    Display(String),
    Actor,
    Organization,
}

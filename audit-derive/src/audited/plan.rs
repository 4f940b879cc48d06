//! What to record, when everything about it has been checked.

use syn::{Attribute, Expr, Ident, LitStr};

/// What to record, checked.
pub(crate) struct Plan {
    pub(crate) action: LitStr,
    /// The constant that the action was named by.
    pub(crate) constant: Option<syn::Path>,
    /// The action under which a denial appears, when it is another.
    pub(crate) denied: Option<String>,
    /// Whether the event is to be on the disk before the caller goes on.
    pub(crate) durable: bool,
    /// What to write instead, when the catalog calls the action deprecated.
    pub(crate) deprecated: Option<String>,
    /// The crate that generated paths start with, if the attribute names one.
    pub(crate) facade: Option<syn::Path>,
    /// The outcomes that leave an event; all when it is empty.
    pub(crate) on: Vec<Ident>,
    /// Whether the text of an error is recorded; where the attribute says so.
    pub(crate) error: Option<Ident>,
    /// The name under which the body knows the draft.
    pub(crate) event: Option<Ident>,
    /// The function that says how the call went.
    pub(crate) outcome: Option<syn::ExprPath>,
    /// What is recorded on entry.
    pub(crate) steps: Vec<Step>,
    /// What is recorded when the function succeeded.
    pub(crate) late: Option<Late>,
}

/// One value to record.
pub(crate) struct Step {
    pub(crate) cfgs: Vec<Attribute>,
    pub(crate) call: Call,
    pub(crate) value: Expr,
    /// What is said of a target.
    pub(crate) about: Vec<(Call, Expr)>,
}

/// The values that are read from a successful result.
pub(crate) struct Late {
    /// `ok` as the user wrote it, whose hygiene the pattern has to share.
    pub(crate) ok: Ident,
    pub(crate) steps: Vec<Step>,
}

impl Step {
    /// Whether the value is a name or a literal, so that taking a reference to it runs no code.
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

/// The function of the runtime that takes the value, and the name it records it under.
#[derive(Debug, PartialEq)]
pub(crate) enum Call {
    Target(String),
    /// Each item of a collection.
    Targets(String),
    /// The name of a target, and whether it is made by `Display`.
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

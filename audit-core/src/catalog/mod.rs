//! Checked names and the catalog that is compiled into the service.

mod action;
mod embedded;

pub use self::action::{Action, assert_names};
pub use self::embedded::{
    CoalesceBy, EmbeddedAction, EmbeddedCatalog, EmbeddedCoalesce, EmbeddedField, EmbeddedTarget,
    FieldKind,
};
pub(crate) use self::embedded::{Versions, version};

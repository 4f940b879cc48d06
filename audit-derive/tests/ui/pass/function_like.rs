//! Uses the function-like macros as statements, expressions, items and constants.
#![deny(warnings, clippy::pedantic)]

use audit_core::{Action, EmbeddedCatalog, EventId, Outcome, TryRecordError, action, catalog, record, try_record};
use audit_derive::audited;

catalog! {
    /// The actions.
    mod actions;
}

mod inner {
    audit_core::catalog! { pub(crate) mod names; }
}

const CATALOG: EmbeddedCatalog = catalog!();
static DELETE: Action = action!("document.delete");

struct Owner<T>(T);

impl<T> Owner<T> {
    const SHARE: Action = action!("document.share");

    #[audited(action = crate::actions::DOCUMENT_DELETE, target = "id")]
    fn delete(&self, id: u64) -> &T {
        record!(inner::names::DOCUMENT_DELETE, target(document = id), outcome = Outcome::Denied);
        &self.0
    }
}

fn last() -> Result<EventId, TryRecordError> {
    try_record!("document.share", target(document = 1), target(user = "u1"), metadata(role = "reader", pages = 3))
}

fn main() -> Result<(), TryRecordError> {
    let draft = "not ours";
    match draft {
        "ours" => record!("document.delete", target(document = draft)),
        _ => record!("document.delete", target(document = 2), outcome = if draft.is_empty() { Outcome::Failed } else { Outcome::Succeeded }),
    }
    if let Err(error) = last() {
        assert!(error.is_without_recorder());
    }
    assert_eq!(Owner(DELETE).delete(1), &actions::DOCUMENT_DELETE);
    assert_eq!(Owner::<u8>::SHARE, actions::DOCUMENT_SHARE);
    assert_eq!(CATALOG.action("link.open").and_then(|action| action.deprecated()), Some("use link.follow"));
    if draft.is_empty() {
        try_record!("document.delete", target(document = 1))?;
    }
    Ok(())
}

//! The runtime of the macros, called by their expansions.
//!
//! It is not part of the public interface, and changes with any release.

mod calls;
pub mod outcome;
#[cfg(feature = "spool")]
pub mod spool;
mod tracked_future;
mod try_record;

pub use self::calls::{
    actor, add_unresolved_targets, boolean, call_body, clear_unresolved_targets, close,
    close_durable, display, exempt, make_durable, move_into_body, number, open, open_action,
    open_target, organization, record_denials_as, record_only_on, return_type_hint, target,
    target_boolean, target_display, target_display_name, target_name, target_number, target_text,
    targets, text,
};
pub use self::outcome::{OutcomeOf, Probe};
pub use self::tracked_future::{
    TrackedDurableFuture, TrackedFuture, boxed, call_future_body, open_deferred, pinned,
    track_durable_future, track_future,
};
#[cfg(feature = "spool")]
pub use self::try_record::write;
pub use self::try_record::{TryRecordError, try_close, try_open};
pub use crate::catalog::{Action, assert_names};
pub use crate::delivery::DurableWait;
pub use crate::event::Outcome;
pub use crate::scope::Draft;

/// The entry points of the attributes for the facades; each expands to paths of its facade.
///
/// The function-like macros are `macro_rules!` in this crate that pass `$crate` on, so that one
/// entry point serves all facades.
pub mod macros {
    pub use audit_derive::{
        action, audited_actix, audited_tower, catalog, record, record_durable, try_record,
        unaudited_actix, unaudited_tower,
    };
}

/// The parts of an embedded catalog.
pub mod catalog {
    pub use crate::catalog::{
        CoalesceBy, EmbeddedAction, EmbeddedCatalog, EmbeddedCoalesce, EmbeddedField,
        EmbeddedTarget, FieldKind,
    };
}

//! The name of an action that a macro has checked.

use std::fmt;

/// The name of an action of the catalog, checked while the crate compiles.
///
/// [`action!`](crate::action!) returns one for a name, [`catalog!`](crate::catalog!) defines one
/// for each action of the catalog.
///
/// ```
/// use audit_core::{Action, Event, action};
///
/// // audit.toml:
/// // [action."document.delete"]
/// // targets = ["document"]
/// const DELETE: Action = action!("document.delete");
///
/// assert_eq!(DELETE.as_str(), "document.delete");
/// assert_eq!(Event::builder(DELETE).build()?.action(), "document.delete");
/// # Ok::<_, audit_core::EventError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Action(&'static str);

impl Action {
    /// Wraps a name that a macro has looked up.
    #[doc(hidden)]
    #[must_use]
    pub const fn checked(name: &'static str) -> Self {
        Self(name)
    }

    /// Returns the name, such as `document.delete`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0)
    }
}

impl AsRef<str> for Action {
    fn as_ref(&self) -> &str {
        self.0
    }
}

impl PartialEq<str> for Action {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

impl PartialEq<&str> for Action {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

impl PartialEq<Action> for str {
    fn eq(&self, other: &Action) -> bool {
        self == other.0
    }
}

impl PartialEq<Action> for &str {
    fn eq(&self, other: &Action) -> bool {
        *self == other.0
    }
}

impl From<Action> for &'static str {
    fn from(action: Action) -> Self {
        action.0
    }
}

/// Stops the compilation unless a constant is the action that its name promises.
#[doc(hidden)]
pub const fn assert_names(action: Action, name: &str, otherwise: &str) {
    let (written, found) = (action.0.as_bytes(), name.as_bytes());
    let mut same = written.len() == found.len();
    let mut index = 0;
    while same && index < written.len() {
        same = written[index] == found[index];
        index += 1;
    }
    assert!(same, "{}", otherwise);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_is_its_name() {
        let action = Action::checked("document.delete");
        assert_eq!(action, "document.delete");
        assert_eq!("document.delete", action);
        assert_eq!(format!("{action:>17}"), "  document.delete");
        assert_eq!(action.as_ref(), <&str>::from(action));
        assert_names(action, "document.delete", "not reached");
    }

    #[test]
    fn another_name_stops_the_compilation() {
        for other in ["document.delet", "document.deletd", "document.deleted", ""] {
            let check = || assert_names(Action::checked("document.delete"), other, "says why");
            let panic = std::panic::catch_unwind(check).unwrap_err();
            assert_eq!(
                panic.downcast_ref::<String>().map(String::as_str),
                Some("says why")
            );
        }
    }
}

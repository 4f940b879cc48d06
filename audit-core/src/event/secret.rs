//! Values that never become part of an event.

use std::fmt;

use serde::Deserialize;

/// A value that never becomes part of an event: a password, a token, a one-time code.
///
/// Naming one in `#[audited]` does not compile, and the error gives the reason. `Debug` prints no
/// content, and there is no `Display` and no `Serialize`. `Deserialize` is implemented, so that a
/// request's body can hold one.
///
/// ```
/// use audit_core::Secret;
///
/// let password = Secret::new(String::from("correct horse"));
/// assert_eq!(format!("{password:?}"), "Secret(..)");
/// assert_eq!(password.expose(), "correct horse");
/// ```
///
/// ```compile_fail
/// use audit_core::{Event, Secret};
///
/// let password = Secret::new(String::from("correct horse"));
/// Event::builder("user.sign_in").metadata("password", password);
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(transparent)]
pub struct Secret<T>(T);

impl<T> Secret<T> {
    /// Wraps a value as a secret.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// Returns the value. Keep it out of logs and events.
    pub const fn expose(&self) -> &T {
        &self.0
    }

    /// Returns the value, which is no longer protected.
    pub fn into_exposed(self) -> T {
        self.0
    }
}

impl<T> From<T> for Secret<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

//! Coalescing of an action's events: the parts by which events are equal, and the window.

use std::fmt;
use std::time::Duration;

/// The coalescing rule of an action.
///
/// Within the window, the first of several equal events is delivered immediately; the rest are
/// replaced by one event with a `count`. Two events are equal if they have the same action, the
/// same organization, and the same value in every part that [`by`](Self::by) names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coalesce {
    pub(crate) by: Vec<CoalesceBy>,
    pub(crate) window: Duration,
}

impl Coalesce {
    /// Returns the parts in which events have to be equal, besides action and organization.
    ///
    /// There is at least one, none twice, in the order of the file.
    #[must_use]
    pub fn by(&self) -> &[CoalesceBy] {
        &self.by
    }

    /// Returns the length of the window, in whole seconds from 1 s to 15 min.
    #[must_use]
    pub fn window(&self) -> Duration {
        self.window
    }
}

/// A part of an event that is compared to find equal events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CoalesceBy {
    /// The actor.
    Actor,
    /// All targets of the event.
    Target,
    /// The location of the event's context, such as a client address.
    Location,
    /// The outcome.
    Outcome,
}

impl CoalesceBy {
    /// All parts, in the order of messages.
    pub(crate) const ALL: [Self; 4] = [Self::Actor, Self::Target, Self::Location, Self::Outcome];

    /// Returns the part's name in the catalog.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Actor => "actor",
            Self::Target => "target",
            Self::Location => "location",
            Self::Outcome => "outcome",
        }
    }
}

impl fmt::Display for CoalesceBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

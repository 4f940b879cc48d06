//! Coalescing of an action's events: the parts by which events are equal, and the window.

use std::fmt;
use std::time::Duration;

/// Which events of an action stand for each other in a flood, and for how long.
///
/// Two events are alike if they have the same action, the same organization, and the same value in
/// everything that [`by`](Self::by) names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coalesce {
    pub(crate) by: Vec<CoalesceBy>,
    pub(crate) window: Duration,
}

impl Coalesce {
    /// What two events have in common besides action and organization: at least one, none twice, in
    /// the order written.
    #[must_use]
    pub fn by(&self) -> &[CoalesceBy] {
        &self.by
    }

    /// How long events are held together, in whole seconds from 1 s to 15 min.
    #[must_use]
    pub fn window(&self) -> Duration {
        self.window
    }
}

/// A part of an event by which alike events are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CoalesceBy {
    /// Who did it.
    Actor,
    /// On what it was done: all targets of the event.
    Target,
    /// The place of the event's context, such as a client address.
    Location,
    /// How it ended.
    Outcome,
}

impl CoalesceBy {
    /// All parts, in the order messages name them.
    pub(crate) const ALL: [Self; 4] = [Self::Actor, Self::Target, Self::Location, Self::Outcome];

    /// The word in the catalog.
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

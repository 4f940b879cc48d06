//! The ids of events and organizations.

use std::fmt;
use std::sync::Arc;

use uuid::Uuid;

/// The id of an event: a UUIDv7, assigned when the event is created and constant over every
/// attempt.
///
/// It is also the event's `Idempotency-Key`, so a repeated delivery is stored once ([WorkOS:
/// idempotency](https://workos.com/docs/reference/audit-logs/event)).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId(Uuid);

impl EventId {
    /// Returns a new id: `millis` since 1970, then 74 bits of a random generator that each thread
    /// seeds.
    pub(crate) fn mint(millis: u64) -> Self {
        let mut random = [0; 10];
        fastrand::fill(&mut random);
        Self(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
    }

    pub(crate) fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes))
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }

    /// Returns the id as a UUID.
    #[must_use]
    pub fn as_uuid(&self) -> Uuid {
        self.0
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EventId({})", self.0)
    }
}

/// The id of an organization, in the service's form (`org_…`). Cheap to clone.
///
/// ```
/// use audit_core::OrganizationId;
///
/// let organization = OrganizationId::new("org_01EHWNCE74X7JSDV0X3SZ3KJNY");
/// assert_eq!(organization.as_str(), "org_01EHWNCE74X7JSDV0X3SZ3KJNY");
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrganizationId(Arc<str>);

impl OrganizationId {
    /// Wraps an id. The form is not checked: the service answers 404 for an unknown id.
    #[must_use]
    pub fn new(id: impl Into<Arc<str>>) -> Self {
        Self(id.into())
    }

    /// Returns the id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<T: Into<Arc<str>>> From<T> for OrganizationId {
    fn from(id: T) -> Self {
        Self::new(id)
    }
}

impl fmt::Display for OrganizationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for OrganizationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OrganizationId({:?})", &self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_version_7_and_carry_the_time() {
        let id = EventId::mint(1_769_000_000_123);
        assert_eq!(id.as_uuid().get_version_num(), 7);
        assert_eq!(id.as_bytes()[..6], 1_769_000_000_123_u64.to_be_bytes()[2..]);
    }

    #[test]
    fn ids_of_one_millisecond_differ() {
        let ids: std::collections::HashSet<_> = (0..10_000).map(|_| EventId::mint(1)).collect();
        assert_eq!(ids.len(), 10_000);
    }
}

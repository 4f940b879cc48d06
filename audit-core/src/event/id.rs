//! The ids of events and organizations.

use std::cell::Cell;
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
    ///
    /// The generator is seeded again in a forked process and after a second, so that processes with
    /// a copy of its state, forked or resumed from a snapshot of the machine, assign other ids.
    pub(crate) fn mint(millis: u64) -> Self {
        let pid = std::process::id();
        let random = GENERATOR.try_with(|generator| {
            let mut current = generator.get();
            if !current.is_current(pid, millis) {
                current = Generator::seeded(pid, millis);
            }
            let random = current.random();
            generator.set(current);
            random
        });
        // While the thread ends there is no generator left.
        let random = random.unwrap_or_else(|_| Generator::seeded(pid, millis).random());
        Self(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
    }

    /// Returns the time of the id's creation, in milliseconds since 1970.
    pub(crate) fn millis(&self) -> u64 {
        let bytes = self.0.as_bytes();
        bytes[..6]
            .iter()
            .fold(0, |millis, byte| millis << 8 | u64::from(*byte))
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

thread_local! {
    static GENERATOR: Cell<Generator> = const { Cell::new(Generator::UNSEEDED) };
}

/// The time after which a generator is seeded again, in milliseconds.
const SEED_LIFETIME: u64 = 1_000;

/// The state of a random generator, and the process and time of its seed.
#[derive(Clone, Copy)]
struct Generator {
    state: u64,
    /// No process has the id 0.
    pid: u32,
    seeded_at: u64,
}

impl Generator {
    const UNSEEDED: Self = Self {
        state: 0,
        pid: 0,
        seeded_at: 0,
    };

    /// Returns a generator with a seed of the operating system.
    #[cold]
    fn seeded(pid: u32, millis: u64) -> Self {
        Self {
            // Without one, as early in a boot, fastrand's own seed is the best there is.
            state: getrandom::u64().unwrap_or_else(|_| fastrand::u64(..)),
            pid,
            seeded_at: millis,
        }
    }

    fn is_current(&self, pid: u32, millis: u64) -> bool {
        self.pid == pid && millis.abs_diff(self.seeded_at) < SEED_LIFETIME
    }

    fn random(&mut self) -> [u8; 10] {
        let mut rng = fastrand::Rng::with_seed(self.state);
        let mut random = [0; 10];
        random[..8].copy_from_slice(&rng.u64(..).to_le_bytes());
        random[8..].copy_from_slice(&rng.u16(..).to_le_bytes());
        self.state = rng.get_seed();
        random
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
    fn fault_50_a_generator_is_seeded_again_in_a_forked_process_and_after_a_second() {
        let parent = Generator::seeded(1, 5_000);
        assert!(parent.is_current(1, 5_999));
        assert!(!parent.is_current(2, 5_000), "a child has a copy of it");
        assert!(!parent.is_current(1, 6_000), "so has a resumed snapshot");
        assert!(!parent.is_current(1, 4_000), "the clock may step back");
        let random = || Generator::seeded(2, 5_000).random();
        assert_ne!(random(), random());
    }

    #[test]
    fn ids_of_one_millisecond_differ() {
        let ids: std::collections::HashSet<_> = (0..10_000).map(|_| EventId::mint(1)).collect();
        assert_eq!(ids.len(), 10_000);
    }
}

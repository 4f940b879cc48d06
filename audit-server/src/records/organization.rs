//! Organizations.

use std::time::SystemTime;

use serde::Serialize;

use crate::timestamp::Timestamp;

/// An organization that the server accepts events for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Organization {
    pub(crate) object: &'static str,
    pub(crate) id: String,
    pub(crate) name: Option<String>,
    pub(crate) created_at: Timestamp,
}

impl Organization {
    pub(crate) fn new(id: String, name: Option<String>, created_at: Timestamp) -> Self {
        Self {
            object: "organization",
            id,
            name,
            created_at,
        }
    }

    /// Returns the id, `org_…`.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns its name, if it has one.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Returns the time it was added.
    #[must_use]
    pub fn created_at(&self) -> SystemTime {
        self.created_at.to_system_time()
    }
}

/// Returns `true` if `id` has the form of an organization id: `org_` and 1 to 100 letters, digits,
/// `_` or `-`.
pub(crate) fn is_organization_id(id: &str) -> bool {
    id.strip_prefix("org_").is_some_and(|rest| {
        (1..=100).contains(&rest.len())
            && rest
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn organization_id_has_its_prefix_and_plain_characters() {
        for id in [
            "org_1",
            "org_01EHWNCE74X7JSDV0X3SZ3KJNY",
            "org_local",
            "org_a-b",
        ] {
            assert!(is_organization_id(id), "{id}");
        }
        let long = format!("org_{}", "x".repeat(101));
        for id in ["", "org_", "1", "org_ä", "org_a b", long.as_str()] {
            assert!(!is_organization_id(id), "{id}");
        }
    }
}

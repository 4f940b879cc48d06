//! The user of a request.

use audit_core::{Actor, OrganizationId, Principal};

use super::error::AppError;
use super::role::Role;

/// The signed-in member of a request.
#[derive(Clone, Debug)]
pub struct CurrentUser {
    /// The id.
    pub id: String,
    /// The display name.
    pub name: String,
    /// The role, which decides what the member may do.
    pub role: Role,
    /// The organization of the member.
    pub organization: OrganizationId,
}

/// The actor and organization of events. No other code connects the service's users with the audit
/// framework.
impl Principal for CurrentUser {
    fn actor(&self) -> Actor {
        Actor::user(&self.id)
            .name(&self.name)
            .metadata("role", self.role.as_str())
    }

    fn organization(&self) -> Option<OrganizationId> {
        Some(self.organization.clone())
    }
}

impl CurrentUser {
    /// Returns an error unless the user is an administrator.
    pub(super) fn require_admin(&self) -> Result<(), AppError> {
        if self.role == Role::Admin {
            Ok(())
        } else {
            Err(AppError::Forbidden)
        }
    }
}

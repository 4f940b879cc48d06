//! Who a request comes from.

use audit_core::{Actor, OrganizationId, Principal};

use super::{AppError, Role};

/// The member that a request comes from.
#[derive(Clone, Debug)]
pub struct CurrentUser {
    /// Their id.
    pub id: String,
    /// Their name.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Whose data they see.
    pub organization: OrganizationId,
}

/// What the audit log takes from it: this is all that connects the service's users with the audit
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
    pub(super) fn require_admin(&self) -> Result<(), AppError> {
        if self.role == Role::Admin {
            Ok(())
        } else {
            Err(AppError::Forbidden)
        }
    }
}

//! What a sign-in leaves behind, and what the audit log takes from it.

use crate::event::{Actor, OrganizationId};

/// Who makes a request: the type that your sign-in puts into the request's extensions.
///
/// ```
/// use audit_core::{Actor, OrganizationId, Principal};
///
/// #[derive(Clone)]
/// struct CurrentUser { id: String, name: String, organization: OrganizationId }
///
/// impl Principal for CurrentUser {
///     fn actor(&self) -> Actor {
///         Actor::user(&self.id).name(&self.name)
///     }
///     fn organization(&self) -> Option<OrganizationId> {
///         Some(self.organization.clone())
///     }
/// }
/// ```
pub trait Principal {
    /// Who acts.
    fn actor(&self) -> Actor;

    /// For which organization; `None` leaves it to the scope and the recorder's fallback.
    fn organization(&self) -> Option<OrganizationId> {
        None
    }
}

impl Principal for Actor {
    fn actor(&self) -> Actor {
        self.clone()
    }
}

impl<P: Principal + ?Sized> Principal for &P {
    fn actor(&self) -> Actor {
        (**self).actor()
    }

    fn organization(&self) -> Option<OrganizationId> {
        (**self).organization()
    }
}

impl<P: Principal + ?Sized> Principal for std::sync::Arc<P> {
    fn actor(&self) -> Actor {
        (**self).actor()
    }

    fn organization(&self) -> Option<OrganizationId> {
        (**self).organization()
    }
}

//! The principal: the authenticated identity that a sign-in leaves in a request.

use crate::event::{Actor, OrganizationId};

/// The authenticated identity of a request: the type that your sign-in puts into the extensions.
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
    /// Returns the actor.
    fn actor(&self) -> Actor;

    /// Returns the organization; `None` leaves it to the scope and the recorder's fallback.
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

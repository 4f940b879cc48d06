//! Finds the scope of a request.

use actix_web::dev::Extensions;
use audit_core::Scope;

/// Returns the scope in the request's extensions, else the scope of the running task.
///
/// The extensions travel with the request, also into another task.
pub(crate) fn request_scope(extensions: &Extensions) -> Option<Scope> {
    extensions.get().cloned().or_else(Scope::current)
}

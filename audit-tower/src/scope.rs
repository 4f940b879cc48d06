//! Finds the scope of a request.

use audit_core::Scope;
use http::Extensions;

/// Returns the scope in the request's extensions, else the scope of the running task.
///
/// The extensions travel with the request, also into another task, such as that of a buffer.
pub(crate) fn request_scope(extensions: &Extensions) -> Option<Scope> {
    extensions.get().cloned().or_else(Scope::current)
}

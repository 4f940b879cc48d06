//! Authentication: the user of a call.

use tonic::Request;

use crate::service::error::AppError;
use crate::service::state::AppState;
use crate::service::user::CurrentUser;

/// Inserts the user of the session into the call's extensions.
///
/// A call without a session is not rejected here but by the method, so that its denial is recorded.
pub(super) fn authenticate(state: &AppState, mut call: Request<()>) -> Request<()> {
    let header = call.metadata().get("authorization");
    let user = header
        .and_then(|value| value.to_str().ok())
        .and_then(|value| state.authenticate(value));
    if let Some(user) = user {
        call.extensions_mut().insert(user);
    }
    call
}

/// Returns the user of a call.
pub(super) fn user<T>(call: &Request<T>) -> Result<CurrentUser, AppError> {
    let user = call.extensions().get::<CurrentUser>();
    user.cloned().ok_or(AppError::Unauthorized)
}

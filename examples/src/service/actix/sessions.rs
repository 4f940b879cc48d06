//! Sign-in, and the user of a request.

use std::future::{Ready, ready};

use actix_web::body::MessageBody;
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::{Data, Json};
use actix_web::{Error, FromRequest, HttpMessage, HttpRequest};
use uuid::Uuid;

use crate::service::error::AppError;
use crate::service::sessions::{Credentials, Session};
use crate::service::state::AppState;
use crate::service::user::CurrentUser;

/// Adds a request id, unless the request has one.
pub(super) async fn request_id(
    mut request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
    if !request.headers().contains_key(X_REQUEST_ID) {
        let id = HeaderValue::try_from(Uuid::new_v4().to_string())
            .map_err(actix_web::error::ErrorInternalServerError)?;
        request.headers_mut().insert(X_REQUEST_ID, id);
    }
    let id = request.headers().get(X_REQUEST_ID).cloned();
    let mut response = next.call(request).await?;
    if let Some(id) = id {
        response.headers_mut().insert(X_REQUEST_ID, id);
    }
    Ok(response)
}

/// Inserts the user of the session into the request's extensions.
pub(super) async fn authenticate(
    state: Data<AppState>,
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let header = request
        .headers()
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let user = header.and_then(|header| state.authenticate(header));
    if let Some(user) = user {
        request.extensions_mut().insert(user);
    }
    next.call(request).await
}

/// Extracts the user. A request without one is rejected with 401.
impl FromRequest for CurrentUser {
    type Error = AppError;
    type Future = Ready<Result<Self, AppError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let user = request.extensions().get::<Self>().cloned();
        ready(user.ok_or(AppError::Unauthorized))
    }
}

/// Signs a member in. The called functions are audited, since the request has no user yet.
pub(super) async fn sign_in(
    state: Data<AppState>,
    Json(credentials): Json<Credentials>,
) -> Result<(Json<Session>, StatusCode), AppError> {
    Ok((Json(state.sign_in(&credentials)?), StatusCode::CREATED))
}

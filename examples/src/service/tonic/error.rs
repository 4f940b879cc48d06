//! The gRPC status of an error.

use tonic::Status;

use crate::service::error::AppError;

impl From<AppError> for Status {
    fn from(error: AppError) -> Self {
        let message = error.message();
        match error {
            AppError::Unauthorized => Status::unauthenticated(message),
            AppError::Forbidden => Status::permission_denied(message),
            AppError::NotFound => Status::not_found(message),
            AppError::Invalid(_) => Status::invalid_argument(message),
        }
    }
}

//! The methods of the service. Each names its target in the message, which is `call.get_ref()`.

use audit_tower::{audited, unaudited};
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::proto::{self, documents_server::Documents};
use super::sessions::user;
use crate::service::account::PasswordChange;
use crate::service::api_keys::NewKey;
use crate::service::documents::{NewDocument, Share};
use crate::service::error::AppError;
use crate::service::members::Invitation;
use crate::service::role::Role;
use crate::service::sessions::Credentials;
use crate::service::state::AppState;

/// The gRPC service, on the data and rules of the application.
pub(super) struct Service {
    pub(super) state: AppState,
}

type GrpcResult<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl Documents for Service {
    /// Signs a member in. The called functions are audited, since the call has no user yet.
    async fn sign_in(&self, call: Request<proto::Credentials>) -> GrpcResult<proto::Session> {
        let proto::Credentials { email, password } = call.into_inner();
        let session = self.state.sign_in(&Credentials { email, password })?;
        Ok(Response::new(proto::Session {
            token: session.token,
        }))
    }

    /// Lists documents. Every gRPC call is a POST, so a method without an event has to be exempt.
    #[unaudited(reason = "it changes nothing and exposes only titles")]
    async fn list_documents(&self, call: Request<()>) -> GrpcResult<proto::DocumentList> {
        let documents = self.state.store.documents(&user(&call)?);
        let documents = documents.into_iter().map(|document| proto::Document {
            id: document.id.to_string(),
            title: document.title,
            pages: document.pages,
        });
        Ok(Response::new(proto::DocumentList {
            documents: documents.collect(),
        }))
    }

    /// Creates a document. Its id is known only from a successful result, whose value is `ok`.
    #[audited(
        action = "document.create",
        target(document = ok.get_ref().id),
        metadata(title = call.get_ref().title),
    )]
    async fn create_document(
        &self,
        call: Request<proto::NewDocument>,
    ) -> GrpcResult<proto::Document> {
        let user = user(&call)?;
        let proto::NewDocument { title, pages } = call.into_inner();
        let document = self
            .state
            .create_document(&user, NewDocument { title, pages })?;
        Ok(Response::new(proto::Document {
            id: document.id.to_string(),
            title: document.title,
            pages: document.pages,
        }))
    }

    #[audited(
        action = "document.share",
        target(document = call.get_ref().document),
        target(user = call.get_ref().user),
        metadata(role = call.get_ref().role),
    )]
    async fn share_document(&self, call: Request<proto::Share>) -> GrpcResult<()> {
        let by = user(&call)?;
        let message = call.into_inner();
        let share = Share {
            user: message.user,
            role: role(&message.role)?,
        };
        let document = id(&message.document)?;
        self.state.share_document(&by, document, &share).await?;
        Ok(Response::new(()))
    }

    #[audited(action = "document.download", target(document = call.get_ref().document))]
    async fn download_document(&self, call: Request<proto::Download>) -> GrpcResult<proto::Sheets> {
        let user = user(&call)?;
        let message = call.into_inner();
        let document = id(&message.document)?;
        let text = self
            .state
            .download_document(&user, document, message.per_sheet)?;
        Ok(Response::new(proto::Sheets { text }))
    }

    #[audited(action = "document.delete", target(document = call.get_ref().id))]
    async fn delete_document(&self, call: Request<proto::DocumentId>) -> GrpcResult<()> {
        let user = user(&call)?;
        let document = id(&call.get_ref().id)?;
        self.state.delete_document(&user, document)?;
        Ok(Response::new(()))
    }

    #[audited(
        action = "member.invite",
        target(user = call.get_ref().email),
        metadata(role = call.get_ref().role),
    )]
    async fn invite_member(&self, call: Request<proto::Invitation>) -> GrpcResult<proto::MemberId> {
        let user = user(&call)?;
        let message = call.into_inner();
        let invitation = Invitation {
            role: role(&message.role)?,
            email: message.email,
        };
        let invited = self.state.invite_member(&user, &invitation).await?;
        Ok(Response::new(proto::MemberId { id: invited.id }))
    }

    #[audited(action = "member.remove", target(user = call.get_ref().id))]
    async fn remove_member(&self, call: Request<proto::MemberId>) -> GrpcResult<()> {
        let user = user(&call)?;
        self.state.remove_member(&user, &call.get_ref().id)?;
        Ok(Response::new(()))
    }

    #[audited(
        action = "api_key.create",
        target(api_key = ok.get_ref().id),
        metadata(label = call.get_ref().label),
    )]
    async fn create_api_key(&self, call: Request<proto::NewApiKey>) -> GrpcResult<proto::ApiKey> {
        let user = user(&call)?;
        let label = call.into_inner().label;
        let created = self.state.create_api_key(&user, NewKey { label })?;
        Ok(Response::new(proto::ApiKey {
            id: created.key.id.to_string(),
            label: created.key.label,
            secret: created.secret,
        }))
    }

    #[audited(action = "api_key.revoke", target(api_key = call.get_ref().id))]
    async fn revoke_api_key(&self, call: Request<proto::ApiKeyId>) -> GrpcResult<()> {
        let user = user(&call)?;
        let key = id(&call.get_ref().id)?;
        self.state.revoke_api_key(&user, key)?;
        Ok(Response::new(()))
    }

    #[audited(action = "user.change_password", target(user = user(&call).ok().map(|user| user.id)))]
    async fn change_password(&self, call: Request<proto::PasswordChange>) -> GrpcResult<()> {
        let user = user(&call)?;
        let proto::PasswordChange { old, new } = call.into_inner();
        self.state
            .change_password(&user, PasswordChange { old, new })?;
        Ok(Response::new(()))
    }

    #[audited(
        action = "user.enable_mfa",
        target(user = user(&call).ok().map(|user| user.id)),
        metadata(hardware = call.get_ref().hardware),
    )]
    async fn enable_mfa(&self, call: Request<proto::SecondFactor>) -> GrpcResult<()> {
        user(&call)?;
        Ok(Response::new(()))
    }
}

fn id(text: &str) -> Result<Uuid, AppError> {
    text.parse()
        .map_err(|_| AppError::Invalid("an id is a UUID"))
}

fn role(name: &str) -> Result<Role, AppError> {
    Role::parse(name).ok_or(AppError::Invalid("a role is admin, member or viewer"))
}

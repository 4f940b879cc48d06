//! Converts HTTP requests to gRPC calls: one method for each path.

use std::net::SocketAddr;

use examples::service::tonic::proto::{self, documents_client::DocumentsClient};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Response, Status};

use crate::common::{REQUEST_TIMEOUT, Result};

#[derive(Clone)]
pub(crate) struct GrpcClient {
    client: DocumentsClient<Channel>,
    authorization: Option<MetadataValue<Ascii>>,
}

impl GrpcClient {
    pub(crate) fn new(address: SocketAddr) -> Result<Self> {
        let endpoint = Endpoint::from_shared(format!("http://{address}"))?
            .user_agent("audited-demo")?
            .timeout(REQUEST_TIMEOUT);
        Ok(Self {
            client: DocumentsClient::new(endpoint.connect_lazy()),
            authorization: None,
        })
    }

    pub(crate) fn signed_in(&self, token: &str) -> Result<Self> {
        Ok(Self {
            client: self.client.clone(),
            authorization: Some(format!("Bearer {token}").parse()?),
        })
    }

    /// Calls the method for a path, and returns the response body of the HTTP route.
    pub(crate) async fn call(
        &self,
        method: &Method,
        path: &str,
        body: &Value,
    ) -> Result<Value, Status> {
        let mut client = self.client.clone();
        let text = |field: &str| {
            let value = body.get(field).and_then(Value::as_str);
            value.unwrap_or_default().to_owned()
        };
        let parts: Vec<_> = path.trim_start_matches('/').split('/').collect();
        match (method.as_str(), &parts[..]) {
            ("POST", ["sessions"]) => {
                let call = proto::Credentials {
                    email: text("email"),
                    password: text("password"),
                };
                let response = client.sign_in(self.request(call)).await?;
                Ok(json!({ "token": response.into_inner().token }))
            }
            ("GET", ["documents"]) => {
                let response = client.list_documents(self.request(())).await?;
                Ok(json!(response.into_inner().documents.len()))
            }
            ("POST", ["documents"]) => {
                let pages = body.get("pages").and_then(Value::as_u64).unwrap_or(0);
                let call = proto::NewDocument {
                    title: text("title"),
                    pages: u32::try_from(pages).unwrap_or(u32::MAX),
                };
                let response = client.create_document(self.request(call)).await?;
                Ok(json!({ "id": response.into_inner().id }))
            }
            ("POST", ["documents", document, "shares"]) => {
                let call = proto::Share {
                    document: (*document).to_owned(),
                    user: text("user"),
                    role: text("role"),
                };
                empty(client.share_document(self.request(call)).await)
            }
            ("GET", ["documents", document, "pages", per_sheet]) => {
                let call = proto::Download {
                    document: (*document).to_owned(),
                    per_sheet: per_sheet.parse().unwrap_or_default(),
                };
                let response = client.download_document(self.request(call)).await?;
                Ok(json!(response.into_inner().text))
            }
            ("DELETE", ["documents", document]) => {
                let call = proto::DocumentId {
                    id: (*document).to_owned(),
                };
                empty(client.delete_document(self.request(call)).await)
            }
            ("POST", ["members"]) => {
                let call = proto::Invitation {
                    email: text("email"),
                    role: text("role"),
                };
                let response = client.invite_member(self.request(call)).await?;
                Ok(json!({ "id": response.into_inner().id }))
            }
            ("DELETE", ["members", member]) => {
                let call = proto::MemberId {
                    id: (*member).to_owned(),
                };
                empty(client.remove_member(self.request(call)).await)
            }
            ("POST", ["api-keys"]) => {
                let call = proto::NewApiKey {
                    label: text("label"),
                };
                let response = client.create_api_key(self.request(call)).await?;
                Ok(json!({ "id": response.into_inner().id }))
            }
            ("DELETE", ["api-keys", key]) => {
                let call = proto::ApiKeyId {
                    id: (*key).to_owned(),
                };
                empty(client.revoke_api_key(self.request(call)).await)
            }
            ("PUT", ["account", "password"]) => {
                let call = proto::PasswordChange {
                    old: text("old"),
                    new: text("new"),
                };
                empty(client.change_password(self.request(call)).await)
            }
            ("POST", ["account", "mfa"]) => {
                let hardware = body.get("hardware").and_then(Value::as_bool);
                let call = proto::SecondFactor {
                    hardware: hardware.unwrap_or_default(),
                };
                empty(client.enable_mfa(self.request(call)).await)
            }
            _ => Err(Status::unimplemented(format!(
                "no method for {method} {path}"
            ))),
        }
    }

    fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        if let Some(authorization) = &self.authorization {
            let metadata = request.metadata_mut();
            metadata.insert("authorization", authorization.clone());
        }
        request
    }
}

fn empty(response: Result<Response<()>, Status>) -> Result<Value, Status> {
    response.map(|_| Value::Null)
}

/// Returns the gRPC code that corresponds to an HTTP status of the service.
pub(crate) fn code_of(status: StatusCode) -> Code {
    match status {
        StatusCode::UNAUTHORIZED => Code::Unauthenticated,
        StatusCode::FORBIDDEN => Code::PermissionDenied,
        StatusCode::NOT_FOUND => Code::NotFound,
        StatusCode::UNPROCESSABLE_ENTITY => Code::InvalidArgument,
        status if status.is_success() => Code::Ok,
        _ => Code::Unknown,
    }
}

//! A client of the documents service, with the session of a member.

use std::net::SocketAddr;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tonic::Code;

use crate::common::{REQUEST_TIMEOUT, Result};
use crate::framework::Framework;
use crate::grpc::{GrpcClient, code_of};
use crate::print::print_request;

pub(crate) const PASSWORD: &str = "correct horse";

#[derive(Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    address: SocketAddr,
    token: Option<String>,
    name: String,
    /// `true` if requests are not printed.
    quiet: bool,
    /// Replaces HTTP if the service uses gRPC.
    grpc: Option<GrpcClient>,
}

impl Client {
    pub(crate) fn new(address: SocketAddr, framework: Framework) -> Result<Self> {
        let grpc = match framework {
            Framework::Tonic => Some(GrpcClient::new(address)?),
            Framework::Axum | Framework::Actix => None,
        };
        // The service is local, so a proxy of the environment must not be used.
        let http = reqwest::Client::builder()
            .no_proxy()
            .timeout(REQUEST_TIMEOUT)
            .user_agent("audited-demo")
            .build()?;
        Ok(Self {
            http,
            address,
            token: None,
            name: "-".to_owned(),
            quiet: false,
            grpc,
        })
    }

    /// Returns the client without output.
    pub(crate) fn quiet(mut self) -> Self {
        self.quiet = true;
        self
    }

    fn log(&self, method: &Method, path: &str, result: &str) {
        if !self.quiet {
            print_request(&self.name, method, path, result);
        }
    }

    /// Returns a client with the session of a member.
    pub(crate) async fn sign_in(&self, name: &str) -> Result<Self> {
        let body = json!({ "email": format!("{name}@acme.test"), "password": PASSWORD });
        let session = self
            .send(Method::POST, "/sessions", Some(body), StatusCode::CREATED)
            .await?;
        let token = text(&session, "token")?;
        let grpc = self.grpc.as_ref().map(|grpc| grpc.signed_in(&token));
        Ok(Self {
            grpc: grpc.transpose()?,
            token: Some(token),
            name: name.to_owned(),
            ..self.clone()
        })
    }

    /// Sends a request. Returns an error unless the response has this status.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
        status: StatusCode,
    ) -> Result<Value> {
        if let Some(grpc) = &self.grpc {
            let result = grpc.call(&method, path, &body.unwrap_or_default()).await;
            let code = result
                .as_ref()
                .map_or_else(tonic::Status::code, |_| Code::Ok);
            self.log(&method, path, &format!("{code:?}"));
            return match result {
                Ok(value) if status.is_success() => Ok(value),
                Err(_) if code == code_of(status) => Ok(Value::Null),
                _ => Err(format!("{method} {path} returned {code:?}, not {status}").into()),
            };
        }
        let response = self.request(method.clone(), path, body).send().await?;
        self.log(&method, path, response.status().as_str());
        if response.status() != status {
            return Err(format!(
                "{method} {path} returned {}, not {status}",
                response.status()
            )
            .into());
        }
        Ok(serde_json::from_slice(&response.bytes().await?).unwrap_or_default())
    }

    /// Sends a request whose handler panics, so that the connection closes without a response.
    pub(crate) async fn send_and_get_no_response(&self, method: Method, path: &str) -> Result<()> {
        if let Some(grpc) = &self.grpc {
            return match grpc.call(&method, path, &Value::Null).await {
                // The server resets the stream, which tonic's client reports as one of these codes.
                Err(status)
                    if matches!(
                        status.code(),
                        Code::Internal | Code::Unknown | Code::Cancelled
                    ) =>
                {
                    self.log(&method, path, "(panic)");
                    Ok(())
                }
                result => {
                    Err(format!("{method} {path} returned {result:?} instead of closing").into())
                }
            };
        }
        match self.request(method.clone(), path, None).send().await {
            Ok(response) => Err(format!(
                "{method} {path} returned {} instead of closing",
                response.status()
            )
            .into()),
            Err(error) if error.is_timeout() => Err(error.into()),
            Err(_) => {
                self.log(&method, path, "(panic)");
                Ok(())
            }
        }
    }

    /// Sends a request, and disconnects when `until` completes, without waiting for the response.
    pub(crate) async fn send_and_disconnect(
        &self,
        path: &str,
        body: &Value,
        until: impl Future<Output = ()>,
    ) -> Result<()> {
        if let Some(grpc) = &self.grpc {
            tokio::select! {
                result = grpc.call(&Method::POST, path, body) => {
                    return Err(format!("POST {path} returned {result:?} before the client disconnected").into());
                }
                waited = tokio::time::timeout(REQUEST_TIMEOUT, until) => waited?,
            }
            self.log(&Method::POST, path, "(disconnected)");
            return Ok(());
        }
        let (address, body) = (self.address, body.to_string());
        let token = self.token.as_deref().unwrap_or_default();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: {address}\r\nuser-agent: audited-demo\r\nauthorization: Bearer {token}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        let mut connection = TcpStream::connect(address).await?;
        connection
            .write_all(format!("{head}{body}").as_bytes())
            .await?;
        tokio::time::timeout(REQUEST_TIMEOUT, until).await?;
        drop(connection);
        self.log(&Method::POST, path, "(disconnected)");
        Ok(())
    }

    fn request(&self, method: Method, path: &str, body: Option<Value>) -> reqwest::RequestBuilder {
        let mut request = self
            .http
            .request(method, format!("http://{}{path}", self.address));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        request
    }
}

/// Returns a text field of a response body.
pub(crate) fn text(body: &Value, field: &str) -> Result<String> {
    let value = body.get(field).and_then(Value::as_str);
    Ok(value
        .ok_or_else(|| format!("the response has no `{field}`"))?
        .to_owned())
}

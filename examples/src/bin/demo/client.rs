//! The documents service's client: a member, as the service sees one.

use std::net::SocketAddr;
use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tonic::Code;

use crate::Result;
use crate::framework::Framework;
use crate::grpc::{GrpcClient, code_of};
use crate::print::request_line;

pub(crate) const TIMEOUT: Duration = Duration::from_secs(10);
pub(crate) const PASSWORD: &str = "correct horse";

#[derive(Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    address: SocketAddr,
    token: Option<String>,
    name: String,
    /// Whether its requests are not printed.
    quiet: bool,
    /// Instead of HTTP, if the service speaks gRPC.
    grpc: Option<GrpcClient>,
}

impl Client {
    pub(crate) fn new(address: SocketAddr, framework: Framework) -> Result<Self> {
        let grpc = match framework {
            Framework::Tonic => Some(GrpcClient::new(address)?),
            Framework::Axum | Framework::Actix => None,
        };
        // The service is on this machine: a proxy that the environment names would not find it.
        let http = reqwest::Client::builder()
            .no_proxy()
            .timeout(TIMEOUT)
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

    /// The same client, whose requests are not printed.
    pub(crate) fn quiet(mut self) -> Self {
        self.quiet = true;
        self
    }

    fn say(&self, method: &Method, path: &str, answer: &str) {
        if !self.quiet {
            request_line(&self.name, method, path, answer);
        }
    }

    /// The same client with a member's session.
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

    /// Sends a request and insists on the status of the answer.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
        status: StatusCode,
    ) -> Result<Value> {
        if let Some(grpc) = &self.grpc {
            let answer = grpc.call(&method, path, &body.unwrap_or_default()).await;
            let code = answer
                .as_ref()
                .map_or_else(tonic::Status::code, |_| Code::Ok);
            self.say(&method, path, &format!("{code:?}"));
            return match answer {
                Ok(value) if status.is_success() => Ok(value),
                Err(_) if code == code_of(status) => Ok(Value::Null),
                _ => Err(format!("{method} {path} was answered {code:?}, not {status}").into()),
            };
        }
        let answer = self.request(method.clone(), path, body).send().await?;
        self.say(&method, path, answer.status().as_str());
        if answer.status() != status {
            return Err(format!(
                "{method} {path} was answered {}, not {status}",
                answer.status()
            )
            .into());
        }
        Ok(serde_json::from_slice(&answer.bytes().await?).unwrap_or_default())
    }

    /// Sends a request whose handler panics, so that the connection ends without an answer.
    pub(crate) async fn send_and_get_no_answer(&self, method: Method, path: &str) -> Result<()> {
        if let Some(grpc) = &self.grpc {
            return match grpc.call(&method, path, &Value::Null).await {
                // The server resets the stream, which tonic's client reports under one of these.
                Err(status)
                    if matches!(
                        status.code(),
                        Code::Internal | Code::Unknown | Code::Cancelled
                    ) =>
                {
                    self.say(&method, path, "(panic)");
                    Ok(())
                }
                answer => {
                    Err(format!("{method} {path} was answered {answer:?}, not broken off").into())
                }
            };
        }
        match self.request(method.clone(), path, None).send().await {
            Ok(answer) => Err(format!(
                "{method} {path} was answered {}, not broken off",
                answer.status()
            )
            .into()),
            Err(error) if error.is_timeout() => Err(error.into()),
            Err(_) => {
                self.say(&method, path, "(panic)");
                Ok(())
            }
        }
    }

    /// Sends a request and hangs up without waiting for the answer, once `until` says that the
    /// handler is at work.
    pub(crate) async fn send_and_hang_up(
        &self,
        path: &str,
        body: &Value,
        until: impl Future<Output = ()>,
    ) -> Result<()> {
        if let Some(grpc) = &self.grpc {
            tokio::select! {
                answer = grpc.call(&Method::POST, path, body) => {
                    return Err(format!("POST {path} was answered {answer:?}, and not hung up on").into());
                }
                waited = tokio::time::timeout(TIMEOUT, until) => waited?,
            }
            self.say(&Method::POST, path, "(hung up)");
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
        tokio::time::timeout(TIMEOUT, until).await?;
        drop(connection);
        self.say(&Method::POST, path, "(hung up)");
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

/// A text field of an answer.
pub(crate) fn text(answer: &Value, field: &str) -> Result<String> {
    let value = answer.get(field).and_then(Value::as_str);
    Ok(value
        .ok_or_else(|| format!("the answer has no `{field}`"))?
        .to_owned())
}

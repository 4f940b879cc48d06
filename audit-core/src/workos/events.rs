//! `POST /audit_logs/events`, the call for every event.

use bytes::Bytes;
use http::{HeaderValue, Method};
use serde::Deserialize;

use super::client::WorkOs;
use super::error::Error;
use super::page::Items;
use super::transport::Transport;
use super::transport_failure::TransportFailure;
use crate::event::{Event, wire};
use crate::sink::{Delivery, Fault, RateLimit, Sink};
use crate::workos::actions;

const PATH: &str = "/audit_logs/events";

#[derive(Deserialize)]
struct Created {
    success: bool,
}

impl WorkOs {
    /// Creates one event, in one attempt.
    ///
    /// The event's id is the `Idempotency-Key`, so a retry within 24 hours is stored once ([WorkOS:
    /// create event](https://workos.com/docs/reference/audit-logs/event)). The service takes one
    /// event per request, and responds without an id of its own. The reference gives 200, the SDKs'
    /// tests 201: any 2xx with `success: true` is a success.
    ///
    /// A [`Recorder`](crate::Recorder) makes this call in the background and retries it.
    ///
    /// # Errors
    ///
    /// The event has no organization; the service rejects it, or does not respond.
    pub async fn create_event(&self, event: &Event) -> Result<(), Error> {
        self.create_event_through(self.calls(), event).await
    }

    async fn create_event_through(&self, transport: Transport, event: &Event) -> Result<(), Error> {
        let Some(organization) = event.organization().filter(|id| !id.is_empty()) else {
            return Err(Error::refused(
                "the event names no organization; let the principal or the scope name it, or set a fallback_organization",
            ));
        };
        let body =
            wire::body(event, organization).map_err(|error| Error::transport(error.into()))?;
        let mut request = self.request(Method::POST, PATH, body.into())?;
        let key = uuid_header(event);
        request.headers_mut().insert("idempotency-key", key?);

        let response = self.send(transport, request).await?;
        match serde_json::from_slice(response.body()) {
            Ok(Created { success: true }) => Ok(()),
            Ok(Created { success: false }) => Err(Error::refused(
                "the service answered that it did not succeed",
            )),
            Err(_) => Err(Error::response(&response)),
        }
    }
}

fn uuid_header(event: &Event) -> Result<HeaderValue, Error> {
    let key = Bytes::from(event.id().to_string());
    HeaderValue::from_maybe_shared(key).map_err(|error| Error::transport(error.into()))
}

/// Delivers events to the service.
///
/// An event that the service refuses is rejected. A wrong key, or a response that is not the
/// service's, is fatal, so that a misconfiguration destroys no events.
impl Sink for WorkOs {
    async fn deliver(&self, event: &Event) -> Delivery {
        self.create_event_through(self.deliveries(), event)
            .await
            .map_err(|error| fault(&error))
    }

    fn rate_limit(&self) -> RateLimit {
        self.delivery_rate_limit()
    }

    async fn unknown_actions(&self, actions: &[&'static str]) -> Result<Vec<&'static str>, Fault> {
        let client = self.clone();
        // The dispatcher's runtime needs connections of its own.
        let mut known = Items::<actions::Action>::new(move |page| {
            let client = client.clone();
            async move {
                let path = actions::path(&page);
                client.get_through(client.deliveries(), &path).await
            }
        });
        let mut unknown = actions.to_vec();
        while !unknown.is_empty() {
            match known.try_next().await.map_err(|error| fault(&error))? {
                Some(action) => unknown.retain(|name| *name != action.name),
                None => break,
            }
        }
        Ok(unknown)
    }
}

fn fault(error: &Error) -> Fault {
    let mut reason = match error.transport_failure() {
        Some(TransportFailure::TlsFailed) => format!("TLS: {error}"),
        _ => error.to_string(),
    };
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        reason = format!("{reason}: {cause}");
        source = cause.source();
    }
    let fault = if error.is_rejected() {
        Fault::rejected(reason)
    } else if error.is_rate_limited() {
        Fault::rate_limited(reason)
    } else if let Some(TransportFailure::ConnectionLost) = error.transport_failure() {
        Fault::connection_lost(reason)
    } else if let Some(TransportFailure::NotSent | TransportFailure::TlsFailed) =
        error.transport_failure()
    {
        Fault::retryable(reason).not_sent()
    } else if error.is_retryable() {
        Fault::retryable(reason)
    } else {
        Fault::fatal(reason)
    };
    let fault = fault.after(error.retry_after());
    // A success in a foreign form, such as one of a proxy, may have been the service's.
    if error.status().is_some_and(|status| status.is_success()) {
        return fault.maybe_accepted();
    }
    fault
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::{Arc, Mutex};

    use http::{Request, Response};

    use super::*;
    use crate::workos::key::ApiKey;

    type Sent = Arc<Mutex<Vec<Request<Bytes>>>>;

    /// Returns a client with a scripted transport, and the requests that it received.
    fn client(status: u16, headers: &[(&str, &str)], body: &'static str) -> (WorkOs, Sent) {
        let sent = Sent::default();
        let keep = Arc::clone(&sent);
        let headers: Vec<_> = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let transport = tower::service_fn(move |request| {
            keep.lock().unwrap().push(request);
            let mut response = Response::builder().status(status);
            for (name, value) in &headers {
                response = response.header(name, value);
            }
            let response = response.body(Bytes::from_static(body.as_bytes())).unwrap();
            async move { Ok::<_, Infallible>(response) }
        });
        let key = ApiKey::new("sk_test").unwrap();
        (
            WorkOs::builder(key).transport(transport).build().unwrap(),
            sent,
        )
    }

    fn event() -> Event {
        Event::builder("document.delete")
            .organization("org_1")
            .build()
            .unwrap()
    }

    async fn delivered(status: u16, body: &'static str) -> Delivery {
        client(status, &[("retry-after", "7")], body)
            .0
            .deliver(&event())
            .await
    }

    #[tokio::test]
    async fn the_events_id_is_the_idempotency_key() {
        let (client, sent) = client(200, &[], r#"{"success":true}"#);
        let event = event();
        client.deliver(&event).await.unwrap();
        client.deliver(&event).await.unwrap();
        let sent = sent.lock().unwrap();
        for request in &*sent {
            assert_eq!(
                request.headers()["idempotency-key"],
                event.id().to_string().as_str()
            );
            assert_eq!(request.headers()["authorization"], "Bearer sk_test");
            assert!(request.headers()["authorization"].is_sensitive());
            assert_eq!(request.uri(), "https://api.workos.com/audit_logs/events");
        }
        assert_eq!(sent[0].body(), sent[1].body());
    }

    #[tokio::test]
    async fn every_response_is_a_delivery_or_one_of_four_faults() {
        let message = r#"{"message":"x"}"#;
        assert!(delivered(200, r#"{"success":true}"#).await.is_ok());
        assert!(delivered(201, r#"{"success":true}"#).await.is_ok());
        for (status, body) in [
            (200, r#"{"success":false}"#),
            (400, message),
            (413, "too large"),
            (422, message),
        ] {
            assert!(
                delivered(status, body).await.unwrap_err().is_rejected(),
                "{status} {body}"
            );
        }
        for (status, body) in [
            (408, message),
            (429, message),
            (500, "<html>"),
            (503, message),
        ] {
            let fault = delivered(status, body).await.unwrap_err();
            assert!(fault.is_retryable(), "{status} {body}");
            assert_eq!(fault.retry_after().map(|wait| wait.as_secs()), Some(7));
        }
        let fatal = [
            (200, "<html>"),
            (200, ""),
            (302, ""),
            (400, "<html>"),
            (401, message),
            (403, message),
            (404, message),
        ];
        for (status, body) in fatal {
            let fault = delivered(status, body).await.unwrap_err();
            assert!(fault.is_fatal(), "{status} {body}");
            assert_eq!(fault.is_ambiguous(), status == 200, "{status} {body}");
        }
    }

    #[tokio::test]
    async fn an_event_without_an_organization_is_not_sent() {
        let (client, sent) = client(200, &[], r#"{"success":true}"#);
        let fault = client
            .deliver(&Event::builder("a").build().unwrap())
            .await
            .unwrap_err();
        assert!(fault.is_rejected() && fault.to_string().contains("fallback_organization"));
        assert!(sent.lock().unwrap().is_empty());
    }
}

//! A client for tests, over a transport with scripted responses.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, Response};

use super::client::WorkOs;
use super::key::ApiKey;

type Shared<T> = Arc<Mutex<T>>;

/// A script of responses, in order; a further request is a transport error.
#[derive(Clone, Default)]
pub(super) struct Canned {
    answers: Shared<VecDeque<Response<Bytes>>>,
    sent: Shared<Vec<Request<Bytes>>>,
}

impl Canned {
    pub(super) fn new() -> Self {
        Self::default()
    }

    pub(super) fn answer(self, status: u16, body: &str) -> Self {
        self.answer_with(status, &[], body)
    }

    pub(super) fn answer_with(self, status: u16, headers: &[(&str, &str)], body: &str) -> Self {
        let mut response = Response::builder().status(status);
        for (name, value) in headers {
            response = response.header(*name, *value);
        }
        let response = response.body(Bytes::copy_from_slice(body.as_bytes()));
        self.answers.lock().unwrap().push_back(response.unwrap());
        self
    }

    pub(super) fn client(&self) -> WorkOs {
        let canned = self.clone();
        let transport = tower::service_fn(move |request| {
            canned.sent.lock().unwrap().push(request);
            let answer = canned.answers.lock().unwrap().pop_front();
            async move { answer.ok_or("no answer is left") }
        });
        let key = ApiKey::new("sk_test_canary").unwrap();
        WorkOs::builder(key).transport(transport).build().unwrap()
    }

    /// Returns the paths of the requests so far, with their queries.
    pub(super) fn paths(&self) -> Vec<String> {
        let sent = self.sent.lock().unwrap();
        let path = |request: &Request<Bytes>| request.uri().path_and_query().unwrap().to_string();
        sent.iter().map(path).collect()
    }

    /// Returns the method, path and JSON body of the last request.
    pub(super) fn last(&self) -> (http::Method, String, serde_json::Value) {
        let request = self.last_request();
        let body = serde_json::from_slice(request.body()).unwrap_or_default();
        let path = request.uri().path_and_query().unwrap().to_string();
        (request.method().clone(), path, body)
    }

    pub(super) fn last_request(&self) -> Request<Bytes> {
        self.sent.lock().unwrap().last().unwrap().clone()
    }
}

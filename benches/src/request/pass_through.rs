//! A layer that does nothing: the cost of any layer in axum, which boxes what is in it.

use std::task::{Context, Poll};

use axum::extract::Request;
use tower_layer::Layer;
use tower_service::Service;

/// A layer without a function of its own.
#[derive(Clone, Copy, Debug)]
pub(super) struct PassThrough;

impl<S> Layer<S> for PassThrough {
    type Service = Through<S>;

    fn layer(&self, inner: S) -> Through<S> {
        Through { inner }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Through<S> {
    inner: S,
}

impl<S: Service<Request>> Service<Request> for Through<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> S::Future {
        self.inner.call(request)
    }
}

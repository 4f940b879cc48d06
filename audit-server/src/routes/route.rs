//! The definition of a route, from which the router and the published list are built.

use std::sync::Arc;

use axum::handler::Handler;
use axum::http::Method;
use axum::routing::{self, MethodRouter};

use crate::app::App;

/// The key check that a route has in front of its handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// An API key is required.
    Key,
    /// An API key is required if other machines can reach the server.
    KeyIfRemote,
    /// No check here; the handler may have its own.
    Open,
}

/// One method on one path.
pub(crate) struct Route {
    method: Method,
    /// The path in axum's syntax, with the parameter names of the API reference.
    pub(crate) path: &'static str,
    pub(crate) access: Access,
    listed: bool,
    pub(crate) handler: MethodRouter<Arc<App>>,
}

impl Route {
    fn new(method: Method, path: &'static str, handler: MethodRouter<Arc<App>>) -> Self {
        Self {
            method,
            path,
            access: Access::Open,
            listed: true,
            handler,
        }
    }

    /// Sets the key check; [`Access::Open`] by default.
    pub(super) fn access(mut self, access: Access) -> Self {
        self.access = access;
        self
    }

    /// Leaves the route out of `GET /_local` and of the hints for unknown paths.
    pub(super) fn unlisted(mut self) -> Self {
        self.listed = false;
        self
    }
}

/// Defines a `GET` route.
pub(super) fn get<T: 'static>(path: &'static str, handler: impl Handler<T, Arc<App>>) -> Route {
    Route::new(Method::GET, path, routing::get(handler))
}

/// Defines a `POST` route.
pub(super) fn post<T: 'static>(path: &'static str, handler: impl Handler<T, Arc<App>>) -> Route {
    Route::new(Method::POST, path, routing::post(handler))
}

/// Defines a `PUT` route.
pub(super) fn put<T: 'static>(path: &'static str, handler: impl Handler<T, Arc<App>>) -> Route {
    Route::new(Method::PUT, path, routing::put(handler))
}

/// Defines a `DELETE` route.
pub(super) fn delete<T: 'static>(path: &'static str, handler: impl Handler<T, Arc<App>>) -> Route {
    Route::new(Method::DELETE, path, routing::delete(handler))
}

/// The method and path of every listed route, shared with the handlers as an extension.
#[derive(Clone, Debug)]
pub(crate) struct RouteList(Arc<[(Method, &'static str)]>);

impl RouteList {
    pub(crate) fn of(routes: &[Route]) -> Self {
        let listed = routes.iter().filter(|route| route.listed);
        Self(
            listed
                .map(|route| (route.method.clone(), route.path))
                .collect(),
        )
    }

    /// Iterates in the order of the table.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Method, &'static str)> {
        self.0.iter().map(|(method, path)| (method, *path))
    }
}

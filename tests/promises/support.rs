//! A local server with the tests' catalog, and services on real sockets.

use std::net::SocketAddr;
use std::time::Duration;

use audit_catalog::Catalog;
use audit_server::LocalServer;
use audit_tower::workos::{ApiKey, WorkOs};
use audit_tower::{Actor, Event, OrganizationId, Principal, Target};
use axum::Router;
use tokio::net::TcpListener;

/// The deadline of every wait; a test that reaches it fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) fn client(url: &str) -> WorkOs {
    WorkOs::builder(ApiKey::new("sk_test_local").unwrap())
        .base_url(url)
        .build()
        .unwrap()
}

/// Starts a local server with the actions of the tests' catalog.
pub(crate) async fn server() -> LocalServer {
    let server = LocalServer::start().unwrap();
    register(&client(server.url())).await;
    server
}

pub(crate) async fn register(client: &WorkOs) {
    let catalog = Catalog::parse(include_str!("../audit.toml"), "audit.toml").unwrap();
    for action in catalog.actions() {
        client
            .create_schema(action.name(), &action.wire_schema())
            .await
            .unwrap();
    }
}

/// Creates an event that the local server accepts.
pub(crate) fn event() -> Event {
    Event::builder("document.delete")
        .organization("org_local")
        .actor(Actor::user("u1"))
        .target(Target::new("document", 42))
        .build()
        .unwrap()
}

/// Serves on a free port until the test's runtime ends.
pub(crate) async fn serve(app: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = app.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, service).await.unwrap() });
    address
}

/// The signed-in user of the tests' services.
#[derive(Clone, Debug)]
pub(crate) struct CurrentUser {
    pub(crate) id: String,
}

impl Principal for CurrentUser {
    fn actor(&self) -> Actor {
        Actor::user(&self.id).name("Ada")
    }

    fn organization(&self) -> Option<OrganizationId> {
        Some("org_local".into())
    }
}

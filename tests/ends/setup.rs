//! The set-up shared by the services of all frameworks, and the assertion on a request's event.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use audit_tower::testing::FaultSink;
use audit_tower::{Actor, MemorySink, OrganizationId, Outcome, Principal, Recorder};
use tokio::sync::Notify;

/// The deadline of every wait; a test that reaches it fails.
const PATIENCE: Duration = Duration::from_secs(20);
/// The request timeout of a service.
pub(crate) const TIMEOUT: Duration = Duration::from_millis(50);

/// The signed-in user.
#[derive(Clone)]
pub(crate) struct CurrentUser;

impl Principal for CurrentUser {
    fn actor(&self) -> Actor {
        Actor::user("u1")
    }

    fn organization(&self) -> Option<OrganizationId> {
        Some("org_1".into())
    }
}

/// The position of another layer, relative to the audit layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Inside,
    Outside,
}

/// The configuration of a service.
#[derive(Clone)]
pub(crate) struct Setup {
    pub(crate) recorder: Recorder,
    /// The position of a timeout layer, if any.
    pub(crate) timeout: Option<Side>,
    /// The position of a panic handler, if any.
    pub(crate) catch_panic: Option<Side>,
    pub(crate) gate: Arc<Gate>,
}

/// Blocks requests forever, and notifies the test that one is blocked.
#[derive(Default)]
pub(crate) struct Gate {
    reached: Notify,
}

impl Gate {
    pub(crate) async fn block(&self) {
        self.reached.notify_one();
        std::future::pending().await
    }

    /// Waits until a request is blocked.
    pub(crate) async fn wait_until_reached(&self) {
        tokio::time::timeout(PATIENCE, self.reached.notified())
            .await
            .unwrap();
    }
}

/// A request for a document, whose id selects the behaviour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    Delete,
    DeleteForbidden,
    DeleteBroken,
    DeletePanicking,
    /// The function never returns.
    DeleteSlow,
    /// The function returns, and a layer between it and the audit layer never does.
    DeleteHeld,
    /// The response has a head, and a body that never ends.
    Stream,
    Upgrade,
    Head,
    Options,
}

impl Request {
    pub(crate) fn document(self) -> &'static str {
        match self {
            Self::Delete | Self::Stream | Self::Upgrade | Self::Head | Self::Options => "ok",
            Self::DeleteForbidden => "forbidden",
            Self::DeleteBroken => "broken",
            Self::DeletePanicking => "panicking",
            Self::DeleteSlow => "slow",
            Self::DeleteHeld => "held",
        }
    }
}

/// A framework with the audit middleware, and a client for it.
pub(crate) trait Framework {
    /// A sent request. Dropping it disconnects the client.
    type Sent;

    /// Serves documents on a free port.
    async fn serve(setup: Setup) -> SocketAddr;

    /// Sends a request without waiting for the response.
    async fn send(address: SocketAddr, request: Request) -> Self::Sent;

    /// Returns the HTTP status of the response, mapped from the code for gRPC; `None` if the
    /// connection ends without a response.
    async fn status(sent: &mut Self::Sent) -> Option<u16>;
}

/// A running service and the sink of its recorder.
pub(crate) struct World<F: Framework> {
    pub(crate) gate: Arc<Gate>,
    recorder: Recorder,
    sink: FaultSink<MemorySink>,
    address: SocketAddr,
    framework: std::marker::PhantomData<F>,
}

impl<F: Framework> World<F> {
    pub(crate) async fn start(timeout: Option<Side>, catch_panic: Option<Side>) -> Self {
        let sink = FaultSink::new(MemorySink::new());
        let recorder = Recorder::builder(sink.clone()).build().unwrap();
        let gate = Arc::new(Gate::default());
        let setup = Setup {
            recorder: recorder.clone(),
            timeout,
            catch_panic,
            gate: Arc::clone(&gate),
        };
        let address = F::serve(setup).await;
        Self {
            gate,
            recorder,
            sink,
            address,
            framework: std::marker::PhantomData,
        }
    }

    pub(crate) async fn send(&self, request: Request) -> F::Sent {
        F::send(self.address, request).await
    }

    /// Sends a request and returns the status of its response.
    pub(crate) async fn status(&self, request: Request) -> Option<u16> {
        let mut sent = self.send(request).await;
        tokio::time::timeout(PATIENCE, F::status(&mut sent))
            .await
            .unwrap()
    }

    /// Asserts that exactly one event was recorded, with this outcome and the request's fields.
    pub(crate) async fn assert_event(&mut self, request: Request, outcome: Outcome) {
        tokio::time::timeout(PATIENCE, self.sink.wait_for_deliveries(1))
            .await
            .unwrap();
        let event = self.sink.inner().events().remove(0);
        let target = event.targets().next().unwrap();
        let actor = event.actor().unwrap();
        assert_eq!(
            (event.action(), event.outcome()),
            ("document.delete", outcome)
        );
        assert_eq!(
            (target.kind(), target.id()),
            ("document", request.document())
        );
        assert_eq!((actor.kind().as_str(), actor.id()), ("user", "u1"));
        assert_eq!(event.organization(), Some("org_1"));
        assert_eq!(event.location(), Some("127.0.0.1"));

        self.recorder.flush(PATIENCE).await;
        assert_eq!(self.sink.attempts().len(), 1, "a second event");
        assert_eq!(self.recorder.stats().accepted, 1);
    }
}

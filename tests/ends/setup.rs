//! What every framework's service is made of, and what came of a request.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use audit_tower::testing::FaultSink;
use audit_tower::{Actor, MemorySink, OrganizationId, Outcome, Principal, Recorder};
use tokio::sync::Notify;

/// How long a test waits for what has to come.
const PATIENCE: Duration = Duration::from_secs(20);
/// After which time a service gives up on a function that never returns.
pub(crate) const TIMEOUT: Duration = Duration::from_millis(50);

/// Who makes the requests.
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

/// Where something stands that is not ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Inside,
    Outside,
}

/// What a service is started with.
#[derive(Clone)]
pub(crate) struct Setup {
    pub(crate) recorder: Recorder,
    /// Where requests time out, if they do.
    pub(crate) timeout: Option<Side>,
    /// Where panics are caught, if they are.
    pub(crate) catch_panic: Option<Side>,
    pub(crate) gate: Arc<Gate>,
}

/// Where a request waits for ever, and says that it does.
#[derive(Default)]
pub(crate) struct Gate {
    waits: Notify,
}

impl Gate {
    pub(crate) async fn wait_for_ever(&self) {
        self.waits.notify_one();
        std::future::pending().await
    }

    pub(crate) async fn somebody_waits(&self) {
        tokio::time::timeout(PATIENCE, self.waits.notified())
            .await
            .unwrap();
    }
}

/// What is asked of a document. Its name is the document's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    Delete,
    DeleteForbidden,
    DeleteBroken,
    DeletePanicking,
    /// The function never returns.
    DeleteSlow,
    /// The function returns, and something between it and the layer never does.
    DeleteHeld,
    /// The head is answered, and the body never ends.
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

/// A framework with our middleware in it, and a client that it understands.
pub(crate) trait Framework {
    /// A request that has been sent. Dropped, it hangs up.
    type Sent;

    /// Serves documents on a free port.
    async fn serve(setup: Setup) -> SocketAddr;

    /// Sends a request and does not wait for its answer.
    async fn send(address: SocketAddr, request: Request) -> Self::Sent;

    /// The status of the answer's head, of HTTP or what stands for gRPC's; `None` when the
    /// connection ends without one.
    async fn status(sent: &mut Self::Sent) -> Option<u16>;
}

/// A service, and what its recorder delivers.
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

    /// Sends a request and waits for its answer.
    pub(crate) async fn status(&self, request: Request) -> Option<u16> {
        let mut sent = self.send(request).await;
        tokio::time::timeout(PATIENCE, F::status(&mut sent))
            .await
            .unwrap()
    }

    /// Waits for the event of a request, and sees that there is one alone.
    pub(crate) async fn left(&mut self, request: Request, outcome: Outcome) {
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

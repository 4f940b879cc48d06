//! A fake mailer: mail is delivered at once, except to [`UNREACHABLE`], where sending never ends.

use tokio::sync::watch;

/// The domain whose mail server never responds.
pub const UNREACHABLE: &str = "unreachable.test";

/// Sends e-mail. Clones share the state.
#[derive(Clone, Debug)]
pub struct Mailer {
    blocked: watch::Sender<usize>,
}

impl Default for Mailer {
    fn default() -> Self {
        Self {
            blocked: watch::Sender::new(0),
        }
    }
}

impl Mailer {
    pub(super) async fn send(&self, to: &str) {
        if to.ends_with(&format!("@{UNREACHABLE}")) {
            self.blocked.send_modify(|blocked| *blocked += 1);
            std::future::pending::<()>().await;
        }
    }

    /// Waits until a mail is blocked. The demo disconnects from such a request.
    pub async fn blocked(&self) {
        // `self` owns the sender, so the wait cannot end by a closed channel.
        drop(
            self.blocked
                .subscribe()
                .wait_for(|blocked| *blocked > 0)
                .await,
        );
    }
}

//! E-mail. There is no mail server: mail is delivered at once, except to [`UNREACHABLE`], whose
//! server never answers.

use tokio::sync::watch;

/// The domain whose mail server never answers.
pub const UNREACHABLE: &str = "unreachable.test";

/// Sends e-mail. Clones are the same mailer.
#[derive(Clone, Debug)]
pub struct Mailer {
    waiting: watch::Sender<usize>,
}

impl Default for Mailer {
    fn default() -> Self {
        Self {
            waiting: watch::Sender::new(0),
        }
    }
}

impl Mailer {
    pub(super) async fn send(&self, to: &str) {
        if to.ends_with(&format!("@{UNREACHABLE}")) {
            self.waiting.send_modify(|waiting| *waiting += 1);
            std::future::pending::<()>().await;
        }
    }

    /// Waits until a mail hangs. The demo hangs up on such a request.
    pub async fn hanging(&self) {
        // The sender lives as long as `self`, so the wait ends only by the count.
        drop(
            self.waiting
                .subscribe()
                .wait_for(|waiting| *waiting > 0)
                .await,
        );
    }
}

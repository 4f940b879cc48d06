//! The check whether the sink knows the catalog's actions.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;

use super::dispatcher::Dispatcher;
use crate::sink::Fault;

/// The time until the sink is asked again, if it could not answer.
const ASK_AGAIN: Duration = Duration::from_secs(30);

impl Dispatcher {
    /// Asks the sink about the actions of the catalog, after a wait.
    pub(super) fn verify(&mut self, wait: Duration) {
        if self.catalog_check.actions.is_empty() {
            return;
        }
        let (sink, actions) = (Arc::clone(&self.sink), self.catalog_check.actions.clone());
        self.catalog_check.running = Some(
            async move {
                tokio::time::sleep(wait).await;
                sink.unknown_actions(&actions).await
            }
            .boxed(),
        );
    }

    pub(super) fn on_catalog_verified(&mut self, answer: Result<Vec<&'static str>, Fault>) {
        self.catalog_check.running = None;
        let problem = match answer {
            Ok(unknown) => {
                self.catalog_check.actions.clear();
                (!unknown.is_empty()).then(|| {
                    format!(
                        "the sink does not know {} of the catalog's actions and will refuse their events: {}; run `audited schema push`",
                        unknown.len(),
                        unknown.join(", ")
                    )
                })
            }
            Err(fault) => {
                if fault.is_rejected() {
                    self.catalog_check.actions.clear();
                }
                self.verify(ASK_AGAIN);
                Some(format!(
                    "the sink could not be asked whether it knows the catalog's actions: {fault}"
                ))
            }
        };
        if let Some(problem) = &problem {
            tracing::error!("{problem}");
        }
        self.pipeline.health_tracker.set_catalog(problem);
    }
}

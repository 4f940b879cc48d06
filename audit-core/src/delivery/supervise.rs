//! The dispatcher's thread, which restarts the dispatcher after a panic, with all its events.

use std::io;
use std::panic::AssertUnwindSafe;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::runtime::Runtime;

use crate::delivery::dispatcher::Dispatcher;

/// The panics in a row, without a finished event in between, after which the dispatcher is stopped.
const MAX_RESTARTS: u32 = 10;
/// The wait before the first restart; each further one is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(10);
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// Starts the thread with a runtime of its own, so that delivery does not depend on the caller's.
pub(crate) fn start(dispatcher: Dispatcher) -> io::Result<JoinHandle<()>> {
    let first = runtime()?;
    std::thread::Builder::new()
        .name("audit-dispatcher".to_owned())
        .spawn(move || {
            dispatcher.pipeline().dispatcher.set_current();
            supervise(dispatcher, Some(first));
        })
}

fn runtime() -> io::Result<Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
}

fn supervise(mut dispatcher: Dispatcher, mut runtime_of_now: Option<Runtime>) {
    let mut restarts = 0;
    loop {
        let finished = dispatcher.finished();
        if let Some(runtime) = &runtime_of_now {
            // `recover` rebuilds the state that a panic leaves incomplete from the pending events.
            let run = AssertUnwindSafe(|| runtime.block_on(dispatcher.run()));
            let is_over = std::panic::catch_unwind(run).is_ok();
            if is_over {
                return end(runtime_of_now);
            }
        }
        restarts = if dispatcher.finished() > finished {
            1
        } else {
            restarts + 1
        };
        // A log subscriber may be the cause of the panic.
        let log = AssertUnwindSafe(|| {
            tracing::error!(
                restarts,
                "the audit dispatcher panicked; its events are kept"
            );
        });
        std::panic::catch_unwind(log).unwrap_or_default();
        dispatcher.recover(restarts);
        if restarts > MAX_RESTARTS {
            dispatcher.give_up();
            return end(runtime_of_now);
        }
        std::thread::sleep(
            FIRST_WAIT
                .saturating_mul(1 << (restarts - 1).min(16))
                .min(LONGEST_WAIT),
        );
        // The connections belong to the runtime; both are created again.
        end(runtime_of_now);
        runtime_of_now = runtime().ok();
    }
}

/// Ends a runtime without waiting for its blocking tasks, such as a name resolution that hangs.
fn end(runtime: Option<Runtime>) {
    if let Some(runtime) = runtime {
        runtime.shutdown_background();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};
    use std::sync::{Mutex, PoisonError};
    use std::time::Duration;

    use crate::event::Event;
    use crate::recorder::Recorder;
    use crate::sink::{Delivery, Sink};

    /// A sink whose attempt leaves a blocking task behind, as a name resolution does, which ends
    /// only when the test releases it.
    struct Blocking {
        started: Sender<()>,
        release: Mutex<Option<Receiver<()>>>,
    }

    impl Sink for Blocking {
        async fn deliver(&self, _: &Event) -> Delivery {
            let mut release = self.release.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(release) = release.take() {
                let started = self.started.clone();
                drop(tokio::task::spawn_blocking(move || {
                    started.send(()).unwrap();
                    let _ = release.recv();
                }));
            }
            Ok(())
        }
    }

    #[test]
    fn fault_47_a_shutdown_does_not_wait_for_blocking_tasks_of_the_runtime() {
        let (started, has_started) = channel();
        let (release, released) = channel();
        let sink = Blocking {
            started,
            release: Mutex::new(Some(released)),
        };
        let recorder = Recorder::builder(sink).build().unwrap();
        let event = Event::builder("document.delete").build().unwrap();
        recorder.record(event).unwrap();
        has_started.recv().unwrap();
        // It would never return if it waited for the task, which is released only afterwards.
        let report = recorder.shutdown_blocking(Duration::from_secs(5));
        assert_eq!(report.pending, 0);
        drop(release);
    }
}

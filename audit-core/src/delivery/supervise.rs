//! The dispatcher's thread, and what happens when the dispatcher panics: it is started again, with
//! all its events.

use std::io;
use std::panic::AssertUnwindSafe;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::runtime::Runtime;

use crate::delivery::dispatcher::Dispatcher;

/// After so many panics in a row, without an event that came to its end in between, the dispatcher
/// is given up.
const MOST_RESTARTS: u32 = 10;
/// The first wait before it is started again; each further one is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(10);
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// Starts the thread. Its runtime is its own, so that delivery does not depend on the caller's.
pub(crate) fn start(dispatcher: Dispatcher) -> io::Result<JoinHandle<()>> {
    let first = runtime()?;
    dispatcher.pipeline().set_clock(first.handle());
    std::thread::Builder::new()
        .name("audit-dispatcher".to_owned())
        .spawn(move || supervise(dispatcher, Some(first)))
}

fn runtime() -> io::Result<Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
}

fn supervise(mut dispatcher: Dispatcher, mut runtime_of_now: Option<Runtime>) {
    let mut restarts = 0;
    loop {
        let ended = dispatcher.ended();
        if let Some(runtime) = &runtime_of_now {
            // What a panic leaves half done is made whole by `recover`, from the list of open
            // events.
            let run = AssertUnwindSafe(|| runtime.block_on(dispatcher.run()));
            if std::panic::catch_unwind(run).is_ok() {
                return;
            }
        }
        restarts = if dispatcher.ended() > ended {
            1
        } else {
            restarts + 1
        };
        // A subscriber of logs may be what panics.
        let log = AssertUnwindSafe(|| {
            tracing::error!(
                restarts,
                "the audit dispatcher panicked; its events are kept"
            );
        });
        std::panic::catch_unwind(log).unwrap_or_default();
        dispatcher.recover(restarts);
        if restarts > MOST_RESTARTS {
            dispatcher.give_up();
            return;
        }
        std::thread::sleep(
            FIRST_WAIT
                .saturating_mul(1 << (restarts - 1).min(16))
                .min(LONGEST_WAIT),
        );
        // The connections belong to the runtime; both are made anew.
        runtime_of_now = runtime().ok();
        if let Some(runtime) = &runtime_of_now {
            dispatcher.pipeline().set_clock(runtime.handle());
        }
    }
}

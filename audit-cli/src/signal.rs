//! Waits for SIGINT or SIGTERM.

use std::io;

use tokio::runtime::{Builder, Runtime};

/// The handler of SIGINT (Ctrl-C) and, on Unix, SIGTERM.
#[derive(Debug)]
pub(crate) struct StopSignal {
    runtime: Runtime,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

impl StopSignal {
    /// Installs the handlers: from here on a signal only ends [`wait`](Self::wait), also if it
    /// arrives before the call.
    pub(crate) fn install() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let entered = runtime.enter();
            let interrupt = signal(SignalKind::interrupt())?;
            let terminate = signal(SignalKind::terminate())?;
            drop(entered);
            Ok(Self {
                runtime,
                interrupt,
                terminate,
            })
        }
        #[cfg(not(unix))]
        Ok(Self { runtime })
    }

    /// Blocks until a signal arrives.
    #[cfg(unix)]
    pub(crate) fn wait(mut self) {
        self.runtime.block_on(async {
            tokio::select! {
                _ = self.interrupt.recv() => {}
                _ = self.terminate.recv() => {}
            }
        });
    }

    /// Blocks until Ctrl-C.
    #[cfg(not(unix))]
    pub(crate) fn wait(self) {
        // If no handler can be installed, stopping at once is the safe choice.
        drop(self.runtime.block_on(tokio::signal::ctrl_c()));
    }
}

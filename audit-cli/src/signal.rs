//! Waiting to be told to stop.

use std::io;

use tokio::runtime::{Builder, Runtime};

/// Ctrl-C, or SIGTERM where there is one.
#[derive(Debug)]
pub(crate) struct Stop {
    runtime: Runtime,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

impl Stop {
    /// Takes over the signals: from here on they end nothing but [`wait`](Self::wait), also if they
    /// come before it.
    pub(crate) fn listen() -> io::Result<Self> {
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

    /// Blocks until a signal has come.
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
        // Without a handler there is nothing to wait for, and stopping is the safe answer.
        drop(self.runtime.block_on(tokio::signal::ctrl_c()));
    }
}

//! Prints events until the server stops.

use std::io::{self, Write};
use std::thread;

use audit_server::{LocalServer, QueryError, Subscription};

use super::output::{Counts, Output, ServerInfo};
use crate::signal::StopSignal;

/// Prints the server's events until a stop signal arrives, then stops the server and prints the
/// counts.
///
/// If the standard output is closed, printing ends, but the server continues.
pub(crate) fn show(
    server: LocalServer,
    info: &ServerInfo,
    output: &'static dyn Output,
    stop: StopSignal,
) -> Result<(), QueryError> {
    let before = server.stats()?;
    let subscription = server.subscribe();
    let open = print(|out| output.listening(out, info));
    let printer = thread::spawn(move || open && print_events(&subscription, output));
    stop.wait();
    let stopped = server.shutdown();
    // The subscription has ended with the server, and with it the thread.
    let open = printer.join().unwrap_or(false);
    let counts = Counts::between(before, stopped?);
    if open {
        print(|out| output.stopped(out, counts));
    }
    Ok(())
}

/// Prints each event. Returns `false` if the standard output was closed meanwhile.
fn print_events(subscription: &Subscription, output: &dyn Output) -> bool {
    let mut missed_before = 0;
    while let Some(event) = subscription.recv() {
        let missed = subscription.missed();
        let new = missed - missed_before;
        missed_before = missed;
        let written = print(|out| {
            output.event(out, &event)?;
            if new > 0 {
                output.missed(out, new)?;
            }
            Ok(())
        });
        if !written {
            return false;
        }
    }
    true
}

/// Writes to the standard output. Returns `false` if that failed.
fn print(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> bool {
    let mut out = anstream::stdout().lock();
    write(&mut out).and_then(|()| out.flush()).is_ok()
}

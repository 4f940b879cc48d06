//! Disks that stand still or refuse, for tests of the recorder.

use std::path::Path;
use std::sync::mpsc::{Sender, channel};

use futures_util::FutureExt as _;

use crate::spool::faults::Faults;
use crate::spool::handle::Spool;

/// Lets the spool's thread stand still until the result is dropped.
pub(crate) fn freeze(spool: &Spool) -> Sender<()> {
    let (started, has_started) = channel();
    let (release, released) = channel::<()>();
    let held = spool.redrive(Vec::new(), move |_| {
        started.send(()).unwrap();
        let _ = released.recv();
    });
    assert!(held.now_or_never().is_none());
    has_started.recv().unwrap();
    release
}

/// The disk of one spool, which can refuse.
pub(crate) struct Disk(Faults);

impl Disk {
    /// Lets the next commits fail.
    pub(crate) fn refuse(&self) {
        self.0.fail(0, 4);
    }
}

/// Opens a spool whose disk can refuse.
pub(crate) fn open_with_disk(path: &Path) -> (Spool, Disk) {
    let builder = Spool::builder(path);
    let disk = Disk(builder.faults.clone());
    (builder.open().unwrap(), disk)
}

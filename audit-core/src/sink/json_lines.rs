//! The sink that writes events as JSON Lines, to the standard output or to rotated files.

use std::fmt;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use tracing_appender::rolling::RollingFileAppender;

use super::fault::Fault;
use super::sink::{Delivery, Sink};
use crate::event::{Event, wire};

/// A sink that writes each event as one line of JSON, in UTF-8.
///
/// A line is the request body that the service receives ([WorkOS: create
/// event](https://workos.com/docs/reference/audit-logs/event)) with the event's `id` in front.
/// Unlike that body, it is never shortened to fit a size limit. `organization_id` is `null` if the
/// event has none.
///
/// An event counts as delivered once its line was passed to the operating system. A line that
/// cannot be written, for example on a full disk, is retried as a whole line. To use this sink
/// beside another one, give it a recorder of its own and connect the two with
/// [`RecorderBuilder::copy_to`](crate::RecorderBuilder::copy_to).
///
/// ```
/// use audit_core::{JsonLines, Recorder, Rotation};
///
/// # let folder = tempfile::tempdir()?;
/// # let folder = folder.path();
/// let archive = JsonLines::files(folder, "audit", Rotation::Daily)?;     // audit.2026-11-23.jsonl
/// let recorder = Recorder::builder(archive).build()?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
pub struct JsonLines {
    out: Mutex<Out>,
}

struct Out {
    writer: Box<dyn Write + Send>,
    /// Set while a write has failed, so that the output may end in a part of a line.
    torn: bool,
}

/// The interval at which a new file is started, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Rotation {
    /// A single file: `name.jsonl`.
    Never,
    /// A file per day: `name.2026-11-23.jsonl`.
    Daily,
    /// A file per hour: `name.2026-11-23-14.jsonl`.
    Hourly,
}

impl JsonLines {
    /// Creates a sink that writes to the standard output of the process.
    #[must_use]
    pub fn stdout() -> Self {
        Self::to(io::stdout())
    }

    /// Creates a sink that writes to `writer`, and flushes it after each line.
    pub fn to(writer: impl Write + Send + 'static) -> Self {
        Self {
            out: Mutex::new(Out {
                writer: Box::new(writer),
                torn: false,
            }),
        }
    }

    /// Creates a sink that appends to files in a folder.
    ///
    /// The folder is created if it does not exist. Old files are never deleted.
    ///
    /// # Errors
    ///
    /// The folder or the first file cannot be created or opened.
    pub fn files(
        folder: impl AsRef<Path>,
        name: impl Into<String>,
        rotation: Rotation,
    ) -> io::Result<Self> {
        use tracing_appender::rolling::Rotation as Interval;
        let rotation = match rotation {
            Rotation::Never => Interval::NEVER,
            Rotation::Daily => Interval::DAILY,
            Rotation::Hourly => Interval::HOURLY,
        };
        let files = RollingFileAppender::builder()
            .rotation(rotation)
            .filename_prefix(name)
            .filename_suffix("jsonl")
            .build(folder)
            .map_err(io::Error::other)?;
        Ok(Self::to(files))
    }

    fn write(&self, line: &[u8]) -> io::Result<()> {
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        let torn = std::mem::replace(&mut out.torn, true);
        if torn {
            // Ends the part of a line that was written; a reader skips it as invalid JSON.
            out.writer.write_all(b"\n")?;
        }
        out.writer.write_all(line)?;
        out.writer.flush()?;
        out.torn = false;
        Ok(())
    }
}

impl Sink for JsonLines {
    async fn deliver(&self, event: &Event) -> Delivery {
        let line = wire::line(event).map_err(|error| Fault::rejected(error.to_string()))?;
        self.write(&line)
            .map_err(|error| Fault::retryable(format!("write a line of the audit log: {error}")))
    }
}

impl fmt::Debug for JsonLines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JsonLines").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use serde_json::Value;

    use super::*;
    use crate::event::{Actor, Target};
    use crate::recorder::Recorder;

    fn event(id: u32) -> Event {
        let event = Event::builder("document.delete").actor(Actor::user("u1"));
        event.target(Target::new("document", id)).build().unwrap()
    }

    fn lines(text: &str) -> Vec<Value> {
        let lines = text.lines().map(serde_json::from_str);
        lines.filter_map(Result::ok).collect()
    }

    #[test]
    fn each_event_is_one_line_in_the_file_of_the_day() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("made");
        let sink = JsonLines::files(&folder, "audit", Rotation::Daily).unwrap();
        let recorder = Recorder::builder(sink).concurrency(1).build().unwrap();
        let event_0 = event(0);
        let id = event_0.id().to_string();
        recorder.record(event_0).unwrap();
        let named = Event::builder("a").organization("org_1").build().unwrap();
        recorder.record(named).unwrap();
        assert_eq!(
            recorder.shutdown_blocking(Duration::from_secs(9)).delivered,
            2
        );

        let files: Vec<_> = std::fs::read_dir(&folder).unwrap().collect();
        assert_eq!(files.len(), 1);
        let file = files[0].as_ref().unwrap();
        let name = file.file_name().into_string().unwrap();
        assert!(
            name.starts_with("audit.2") && name.ends_with(".jsonl"),
            "{name}"
        );
        let found = lines(&std::fs::read_to_string(file.path()).unwrap());
        assert_eq!(found[0]["id"], id.as_str());
        assert_eq!(found[0]["organization_id"], Value::Null);
        assert_eq!(found[0]["event"]["targets"][0]["id"], "0");
        assert_eq!(found[1]["organization_id"], "org_1");
    }

    #[test]
    fn line_after_a_torn_one_starts_on_a_new_line() {
        /// A disk that is full once, in the middle of a line: the bytes written, and the number of
        /// writes.
        #[derive(Clone, Default)]
        struct Disk(Arc<Mutex<(Vec<u8>, u32)>>);
        impl Write for Disk {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                let mut disk = self.0.lock().unwrap();
                disk.1 += 1;
                match disk.1 {
                    1 => {
                        disk.0.extend_from_slice(&bytes[..10]);
                        Ok(10)
                    }
                    2 => Err(io::ErrorKind::StorageFull.into()),
                    _ => {
                        disk.0.extend_from_slice(bytes);
                        Ok(bytes.len())
                    }
                }
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let disk = Disk::default();
        let sink = JsonLines::to(disk.clone());
        let deliver = |event| pollster::block_on(Sink::deliver(&sink, &event));
        assert!(deliver(event(1)).unwrap_err().is_retryable());
        deliver(event(1)).unwrap();
        deliver(event(2)).unwrap();
        let text = String::from_utf8(disk.0.lock().unwrap().0.clone()).unwrap();
        let ids: Vec<_> = lines(&text)
            .iter()
            .map(|line| line["event"]["targets"][0]["id"].clone())
            .collect();
        assert_eq!(ids, ["1", "2"], "{text}");
    }
}

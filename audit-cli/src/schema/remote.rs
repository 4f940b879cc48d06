//! Reads and registers schemas of the service, with as few requests as possible.

use std::io::{self, IsTerminal, Write};
use std::num::NonZeroU32;

use audit_catalog::{Catalog, Lock, Remote, RemoteSchema};
use audit_core::WorkOs;
use audit_core::workos::{Error, Schema};
use tokio::runtime::{Builder, Runtime};

use crate::failure::Failure;

/// A blocking client of the service.
#[derive(Debug)]
pub(super) struct Service {
    client: WorkOs,
    runtime: Runtime,
}

impl Service {
    /// Creates a client from the environment variables.
    pub(super) fn from_env() -> Result<Self, Failure> {
        let client = WorkOs::from_env().map_err(|error| {
            Failure::usage(format!("failed to {error}")).caused_by_source_of(&error)
        })?;
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Failure::unavailable("failed to start").caused_by(&error))?;
        Ok(Self { client, runtime })
    }

    pub(super) fn url(&self) -> &str {
        self.client.base_url()
    }

    /// Reads the names of all actions, and the schema versions that the comparison needs.
    pub(super) fn read(
        &self,
        catalog: &Catalog,
        lock: &Lock,
        environment: &str,
    ) -> Result<Remote, Failure> {
        let reading = read(&self.client, catalog, lock, environment);
        let read = self.runtime.block_on(reading);
        read.map_err(|error| self.failure("read the schemas", &error))
    }

    /// Registers a schema. Returns its version, and the schema as the service stored it.
    pub(super) fn create(
        &self,
        action: &str,
        schema: &serde_json::Value,
    ) -> Result<(NonZeroU32, serde_json::Value), Failure> {
        let creating =
            async { version_and_schema(&self.client.create_schema(action, schema).await?) };
        let created = self.runtime.block_on(creating);
        created.map_err(|error| self.failure(&format!("register `{action}`"), &error))
    }

    fn failure(&self, what: &str, error: &RemoteError) -> Failure {
        let url = self.url();
        match error {
            RemoteError::Service(error) => {
                let failure = Failure::unavailable(format!("failed to {what} at {url}"));
                let failure = failure.caused_by(error);
                if error.is_unauthorized() {
                    failure.help("check that WORKOS_API_KEY is the secret key of this environment")
                } else if error.is_rejected() {
                    failure
                } else {
                    failure.help(
                        "check that the service is reachable, or set WORKOS_BASE_URL; then run the command again",
                    )
                }
            }
            RemoteError::Malformed(text) => {
                Failure::unavailable(format!("failed to {what} at {url}: {text}"))
            }
        }
    }
}

#[derive(Debug)]
enum RemoteError {
    Service(Error),
    /// The response is not a valid schema.
    Malformed(String),
}

impl From<Error> for RemoteError {
    fn from(error: Error) -> Self {
        Self::Service(error)
    }
}

async fn read(
    client: &WorkOs,
    catalog: &Catalog,
    lock: &Lock,
    environment: &str,
) -> Result<Remote, RemoteError> {
    let mut remote = Remote::new();
    let mut unsettled = Vec::new();
    let mut listed = client.actions();
    while let Some(found) = listed.try_next().await? {
        let Some(action) = catalog.action(&found.name) else {
            remote.insert(found.name, []);
            continue;
        };
        let schema = versioned(&found.schema)?;
        if Remote::is_in_sync(&schema, action, lock, environment) {
            remote.insert(found.name, [schema]);
        } else {
            unsettled.push(found.name);
        }
    }
    let progress = Progress::new(unsettled.len());
    for (done, name) in unsettled.into_iter().enumerate() {
        progress.show(done);
        let versions = client.schemas(&name).collect().await?;
        let versions = versions
            .iter()
            .map(versioned)
            .collect::<Result<Vec<_>, _>>()?;
        remote.insert(name, versions);
    }
    Ok(remote)
}

fn versioned(schema: &Schema) -> Result<RemoteSchema, RemoteError> {
    let (version, schema) = version_and_schema(schema)?;
    Ok(RemoteSchema::new(version, schema))
}

fn version_and_schema(schema: &Schema) -> Result<(NonZeroU32, serde_json::Value), RemoteError> {
    let version = NonZeroU32::new(schema.version).ok_or_else(|| {
        RemoteError::Malformed("a schema has version 0; versions start at 1".to_owned())
    })?;
    let schema =
        serde_json::to_value(schema).map_err(|error| RemoteError::Malformed(error.to_string()))?;
    Ok((version, schema))
}

/// A progress line on the standard error, if that is a terminal.
struct Progress {
    total: usize,
    shown: bool,
}

impl Progress {
    fn new(total: usize) -> Self {
        let shown = total > 0 && io::stderr().is_terminal();
        Self { total, shown }
    }

    fn show(&self, done: usize) {
        if self.shown {
            // A failed write of the progress is ignored.
            drop(write!(
                io::stderr(),
                "\rreading schemas {done}/{}",
                self.total
            ));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown {
            drop(write!(io::stderr(), "\r\x1b[K"));
        }
    }
}

//! The service's side: what it has, read with as few requests as will do.

use std::io::{self, IsTerminal, Write};
use std::num::NonZeroU32;

use audit_catalog::{Catalog, Lock, Remote, RemoteSchema};
use audit_core::WorkOs;
use audit_core::workos::{Error, Schema};
use tokio::runtime::{Builder, Runtime};

use crate::failure::Failure;

/// The service, from a program that does one thing after the other.
#[derive(Debug)]
pub(super) struct Service {
    client: WorkOs,
    runtime: Runtime,
}

impl Service {
    /// By the environment.
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

    /// Reads the actions, and of those in the catalog the versions that are needed to compare them.
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

    /// Registers a schema: the version that it got, and the schema as the service has it now.
    pub(super) fn create(
        &self,
        action: &str,
        schema: &serde_json::Value,
    ) -> Result<(NonZeroU32, serde_json::Value), Failure> {
        let creating = async { plain(&self.client.create_schema(action, schema).await?) };
        let created = self.runtime.block_on(creating);
        created.map_err(|error| self.failure(&format!("register `{action}`"), &error))
    }

    fn failure(&self, what: &str, error: &Unread) -> Failure {
        let url = self.url();
        match error {
            Unread::Service(error) => {
                let failure = Failure::unavailable(format!("failed to {what} at {url}"));
                let failure = failure.caused_by(error);
                if error.is_unauthorized() {
                    failure.help("check that WORKOS_API_KEY is the secret key of this environment")
                } else if error.is_rejected() {
                    failure
                } else {
                    failure.help(
                        "check that the service can be reached, or set WORKOS_BASE_URL; then run the command again",
                    )
                }
            }
            Unread::Form(text) => {
                Failure::unavailable(format!("failed to {what} at {url}: {text}"))
            }
        }
    }
}

#[derive(Debug)]
enum Unread {
    Service(Error),
    Form(String),
}

impl From<Error> for Unread {
    fn from(error: Error) -> Self {
        Self::Service(error)
    }
}

async fn read(
    client: &WorkOs,
    catalog: &Catalog,
    lock: &Lock,
    environment: &str,
) -> Result<Remote, Unread> {
    let mut remote = Remote::new();
    let mut unsettled = Vec::new();
    let mut listed = client.actions();
    while let Some(found) = listed.try_next().await? {
        let Some(action) = catalog.action(&found.name) else {
            remote.insert(found.name, []);
            continue;
        };
        let schema = versioned(&found.schema)?;
        if Remote::settles(&schema, action, lock, environment) {
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

fn versioned(schema: &Schema) -> Result<RemoteSchema, Unread> {
    let (version, schema) = plain(schema)?;
    Ok(RemoteSchema::new(version, schema))
}

fn plain(schema: &Schema) -> Result<(NonZeroU32, serde_json::Value), Unread> {
    let version = NonZeroU32::new(schema.version)
        .ok_or_else(|| Unread::Form("a schema has version 0; versions begin at 1".to_owned()))?;
    let schema = serde_json::to_value(schema).map_err(|error| Unread::Form(error.to_string()))?;
    Ok((version, schema))
}

/// A line on the standard error that is written over, where there is a person to read it.
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
            // Progress that cannot be shown is none that is missed.
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

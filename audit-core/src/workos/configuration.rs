//! The state of an organization's audit log.

use serde::Deserialize;

use super::client::{WorkOs, segment};
use super::error::Error;
use super::open_enum::open_enum;

/// How an organization's audit log is set up.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Configuration {
    /// Whose it is.
    pub organization_id: String,
    /// How long events are kept; `None` where no period was set.
    pub retention_period_in_days: Option<u32>,
    /// Whether events are taken.
    pub state: LogState,
    /// Where events are sent on to, if anywhere.
    pub log_stream: Option<LogStream>,
}

/// Where an organization has its events sent on to. It is set up in the dashboard or in the Admin
/// Portal.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct LogStream {
    /// Its id, `als_…`.
    pub id: String,
    /// What it sends to.
    #[serde(rename = "type")]
    pub kind: LogStreamKind,
    /// Whether it sends.
    pub state: LogStreamState,
    /// When it last sent, in RFC 3339; `None` if it never did.
    pub last_synced_at: Option<String>,
    /// When it was made, in RFC 3339.
    pub created_at: String,
}

open_enum! {
    /// Whether an organization's events are taken.
    LogState {
        /// They are.
        Active = "active",
        /// They are not yet.
        Inactive = "inactive",
        /// They are not any more.
        Disabled = "disabled",
    }
}

open_enum! {
    /// What a log stream sends to.
    LogStreamKind {
        /// Microsoft Sentinel.
        AzureSentinel = "AzureSentinel",
        /// Datadog.
        Datadog = "Datadog",
        /// Any HTTPS endpoint.
        GenericHttps = "GenericHttps",
        /// A bucket of Google Cloud Storage.
        GoogleCloudStorage = "GoogleCloudStorage",
        /// A bucket of Amazon S3.
        S3 = "S3",
        /// Snowflake.
        Snowflake = "Snowflake",
        /// Splunk.
        Splunk = "Splunk",
    }
}

open_enum! {
    /// Whether a log stream sends.
    LogStreamState {
        /// It does.
        Active = "active",
        /// It does not.
        Inactive = "inactive",
        /// The last attempt failed.
        Error = "error",
        /// Its settings are wrong.
        Invalid = "invalid",
    }
}

impl WorkOs {
    /// Reads how an organization's audit log is set up
    /// ([WorkOS: configuration](https://workos.com/docs/reference/audit-logs/configuration)).
    ///
    /// # Errors
    ///
    /// The service does not know the organization (404), or does not answer.
    pub async fn configuration(&self, organization: &str) -> Result<Configuration, Error> {
        let organization = segment(organization);
        let path = format!("/organizations/{organization}/audit_log_configuration");
        self.get(&path).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workos::canned::Canned;

    #[tokio::test]
    async fn the_documented_answer_is_read() {
        let canned = Canned::new().answer(
            200,
            r#"{"organization_id":"org_1","retention_period_in_days":30,"state":"active","log_stream":{"id":"als_1",
            "type":"Datadog","state":"active","last_synced_at":null,"created_at":"2026-02-02T16:35:39.317Z"}}"#,
        );
        let read = canned.client().configuration("org_1").await.unwrap();
        assert_eq!(
            canned.paths(),
            ["/organizations/org_1/audit_log_configuration"]
        );
        assert_eq!(
            (read.state, read.retention_period_in_days),
            (LogState::Active, Some(30))
        );
        let stream = read.log_stream.unwrap();
        assert_eq!(
            (stream.kind, stream.last_synced_at),
            (LogStreamKind::Datadog, None)
        );
    }

    #[tokio::test]
    async fn words_that_nobody_knew_are_kept() {
        let canned = Canned::new().answer(
            200,
            r#"{"organization_id":"org_1","retention_period_in_days":null,"state":"paused","a_new_field":{}}"#,
        );
        let read = canned.client().configuration("org_1").await.unwrap();
        assert_eq!(read.state, LogState::Other("paused".to_owned()));
        assert_eq!((read.state.as_str(), read.log_stream), ("paused", None));
    }
}

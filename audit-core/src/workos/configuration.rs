//! The configuration of an organization's audit log.

use serde::Deserialize;

use super::client::{WorkOs, segment};
use super::error::Error;
use super::open_enum::open_enum;

/// The configuration of an organization's audit log.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Configuration {
    /// The organization.
    pub organization_id: String,
    /// The retention period in days; `None` if none was set.
    pub retention_period_in_days: Option<u32>,
    /// The state of the log.
    pub state: LogState,
    /// The stream that forwards events, if there is one.
    pub log_stream: Option<LogStream>,
}

/// A stream that forwards an organization's events.
///
/// It is configured in the dashboard or in the Admin Portal.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct LogStream {
    /// The id, `als_…`.
    pub id: String,
    /// The destination.
    #[serde(rename = "type")]
    pub kind: LogStreamKind,
    /// The state of the stream.
    pub state: LogStreamState,
    /// The time of the last transfer, in RFC 3339; `None` before the first.
    pub last_synced_at: Option<String>,
    /// The time of creation, in RFC 3339.
    pub created_at: String,
}

open_enum! {
    /// The state of an organization's audit log.
    LogState {
        /// Events are accepted.
        Active = "active",
        /// Events are not accepted yet.
        Inactive = "inactive",
        /// Events are no longer accepted.
        Disabled = "disabled",
    }
}

open_enum! {
    /// The destination of a log stream.
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
    /// The state of a log stream.
    LogStreamState {
        /// Events are forwarded.
        Active = "active",
        /// Events are not forwarded.
        Inactive = "inactive",
        /// The last attempt failed.
        Error = "error",
        /// The settings are invalid.
        Invalid = "invalid",
    }
}

impl WorkOs {
    /// Reads the configuration of an organization's audit log ([WorkOS:
    /// configuration](https://workos.com/docs/reference/audit-logs/configuration)).
    ///
    /// # Errors
    ///
    /// The service does not know the organization (404), or does not respond.
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
    async fn the_documented_response_is_parsed() {
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
    async fn unknown_enum_values_are_kept() {
        let canned = Canned::new().answer(
            200,
            r#"{"organization_id":"org_1","retention_period_in_days":null,"state":"paused","a_new_field":{}}"#,
        );
        let read = canned.client().configuration("org_1").await.unwrap();
        assert_eq!(read.state, LogState::Other("paused".to_owned()));
        assert_eq!((read.state.as_str(), read.log_stream), ("paused", None));
    }
}

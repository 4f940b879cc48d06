//! Links to the Admin Portal, where a customer's administrators see their log.

use std::fmt;

use http::Method;
use serde::{Deserialize, Serialize};

use super::client::WorkOs;
use super::error::Error;
use crate::event::Secret;

/// The maximum number of contacts ([WorkOS: portal
/// link](https://workos.com/docs/reference/admin-portal/portal-link)).
const MAX_CONTACTS: usize = 20;

/// The purpose of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PortalIntent {
    /// View the audit log.
    AuditLogs,
    /// Configure a log stream.
    LogStreams,
    /// Configure single sign-on.
    Sso,
    /// Configure directory sync.
    Dsync,
    /// Verify a domain.
    DomainVerification,
    /// Renew a certificate.
    CertificateRenewal,
    /// Provide a key of their own.
    BringYourOwnKey,
}

/// A request for a link to the Admin Portal.
#[derive(Clone, Debug, Serialize)]
#[must_use]
pub struct PortalLinkRequest {
    organization: String,
    intent: PortalIntent,
    #[serde(skip_serializing_if = "Option::is_none")]
    return_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    success_url: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    it_contact_emails: Vec<String>,
}

impl PortalLinkRequest {
    /// Returns a request for an organization.
    pub fn new(organization: impl Into<String>, intent: PortalIntent) -> Self {
        Self {
            organization: organization.into(),
            intent,
            return_url: None,
            success_url: None,
            it_contact_emails: Vec::new(),
        }
    }

    /// Sets the address to which the portal returns.
    pub fn return_url(mut self, url: impl Into<String>) -> Self {
        self.return_url = Some(url.into());
        self
    }

    /// Sets the address to which the portal redirects after success.
    pub fn success_url(mut self, url: impl Into<String>) -> Self {
        self.success_url = Some(url.into());
        self
    }

    /// Adds a contact whom the portal notifies; at most 20.
    pub fn it_contact_email(mut self, address: impl Into<String>) -> Self {
        self.it_contact_emails.push(address.into());
        self
    }
}

/// A link to the Admin Portal. It grants access, so `Debug` does not print it.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct PortalLink {
    link: Secret<String>,
}

impl PortalLink {
    /// Returns the short-lived address: redirect to it at once, and neither store nor log it.
    #[must_use]
    pub fn url(&self) -> &str {
        self.link.expose()
    }
}

impl fmt::Debug for PortalLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PortalLink").finish_non_exhaustive()
    }
}

impl WorkOs {
    /// Generates a link to the Admin Portal ([WorkOS: portal
    /// link](https://workos.com/docs/reference/admin-portal/portal-link)).
    ///
    /// ```no_run
    /// # async fn example(workos: audit_core::WorkOs) -> Result<(), audit_core::workos::Error> {
    /// use audit_core::workos::{PortalIntent, PortalLinkRequest};
    ///
    /// let request = PortalLinkRequest::new("org_1", PortalIntent::AuditLogs).return_url("https://app.example/settings");
    /// let link = workos.generate_portal_link(&request).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// More than 20 contacts; the service does not know the organization (404), refuses the request
    /// (400, 422) or the key (401, 403), or does not respond.
    pub async fn generate_portal_link(
        &self,
        request: &PortalLinkRequest,
    ) -> Result<PortalLink, Error> {
        let contacts = request.it_contact_emails.len();
        if contacts > MAX_CONTACTS {
            return Err(Error::refused(format!(
                "it_contact_emails has {contacts} addresses, and the service takes {MAX_CONTACTS}; leave some out"
            )));
        }
        self.call(Method::POST, "/portal/generate_link", request)
            .await
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::workos::canned::Canned;

    #[tokio::test]
    async fn a_link_is_requested_in_the_documented_form_and_never_printed() {
        let canned =
            Canned::new().answer(201, r#"{"link":"https://setup.workos.com?token=canary"}"#);
        let request = PortalLinkRequest::new("org_1", PortalIntent::LogStreams)
            .return_url("https://a.example")
            .it_contact_email("it@a.example");
        let link = canned
            .client()
            .generate_portal_link(&request)
            .await
            .unwrap();
        assert_eq!(link.url(), "https://setup.workos.com?token=canary");
        assert!(!format!("{link:?}").contains("canary"));
        let body = json!({
            "organization": "org_1", "intent": "log_streams", "return_url": "https://a.example",
            "it_contact_emails": ["it@a.example"],
        });
        assert_eq!(
            canned.last(),
            (Method::POST, "/portal/generate_link".to_owned(), body)
        );
    }

    #[tokio::test]
    async fn too_many_contacts_are_not_sent() {
        let canned = Canned::new();
        let request = (0..21).fold(
            PortalLinkRequest::new("org_1", PortalIntent::AuditLogs),
            |request, n| request.it_contact_email(format!("{n}@a.example")),
        );
        let error = canned
            .client()
            .generate_portal_link(&request)
            .await
            .unwrap_err();
        assert!(
            error.is_rejected() && error.to_string().contains("21 addresses"),
            "{error}"
        );
        assert!(canned.paths().is_empty());
    }
}

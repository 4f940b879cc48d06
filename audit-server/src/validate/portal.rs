//! The body of a request for a portal link.

use serde_json::{Map, Value};

/// Every intent of the service (WorkOS API reference,
/// <https://workos.com/docs/reference/admin-portal/portal-link/generate>).
const INTENTS: [&str; 7] = [
    "sso",
    "dsync",
    "audit_logs",
    "log_streams",
    "domain_verification",
    "certificate_renewal",
    "bring_your_own_key",
];

/// The number of addresses in `it_contact_emails`.
const MAX_EMAILS: usize = 20;

/// A well-formed request for a link.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct PortalForm {
    pub(crate) organization: String,
    /// Optional in the official SDKs.
    pub(crate) intent: Option<String>,
}

/// Parses a body. Fields that this server does not use are validated too.
///
/// # Errors
/// A sentence for the first mistake.
pub(crate) fn read_portal(body: &Value) -> Result<PortalForm, String> {
    let empty = Map::new();
    let fields = body.as_object().unwrap_or(&empty);
    let text = |key: &str| match fields.get(key) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(format!("{key} has to be a string.")),
    };
    let organization = text("organization")?
        .filter(|organization| !organization.is_empty())
        .ok_or("organization has to be given.")?;
    let intent = text("intent")?;
    let unknown = |intent: &String| !INTENTS.contains(&intent.as_str());
    if intent.as_ref().is_some_and(unknown) {
        return Err(format!("intent has to be one of {}.", INTENTS.join(", ")));
    }
    for key in ["return_url", "success_url", "external_user_id"] {
        text(key)?;
    }
    if let Some(emails) = fields.get("it_contact_emails") {
        let valid = emails.as_array().is_some_and(|emails| {
            emails.len() <= MAX_EMAILS && emails.iter().all(Value::is_string)
        });
        if !valid {
            return Err(format!(
                "it_contact_emails has to be an array of at most {MAX_EMAILS} strings."
            ));
        }
    }
    Ok(PortalForm {
        organization,
        intent,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_field_is_checked() {
        let good = json!({
            "organization": "org_1", "intent": "audit_logs", "return_url": "https://example.com",
            "it_contact_emails": vec!["a@example.com"; 20],
        });
        assert!(read_portal(&good).is_ok());
        let without = read_portal(&json!({ "organization": "org_1" })).unwrap();
        assert_eq!(without.intent, None);
        for (key, value) in [
            ("organization", json!("")),
            ("organization", json!(null)),
            ("intent", json!("audit_log")),
            ("intent", json!(1)),
            ("return_url", json!(1)),
            ("it_contact_emails", json!(vec!["a@example.com"; 21])),
            ("it_contact_emails", json!([1])),
            ("it_contact_emails", json!("a@example.com")),
        ] {
            let mut body = good.clone();
            body[key] = value;
            let error = read_portal(&body).unwrap_err();
            assert!(error.starts_with(key), "{error}");
        }
        for body in [json!([]), json!({}), json!({ "intent": "audit_logs" })] {
            assert!(read_portal(&body).is_err());
        }
    }
}

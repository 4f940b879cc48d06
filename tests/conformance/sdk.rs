//! The official SDK with the local server: every call for audit logs, and the portal link.

use futures_util::TryStreamExt;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use workos::admin_portal::GenerateLinkParams;
use workos::audit_logs::{
    CreateEventParams, CreateExportParams, CreateSchemaParams, ListActionSchemasParams,
    ListActionsParams, UpdateOrganizationAuditLogsRetentionParams,
};
use workos::{Error, RequestOptions};

use crate::service::{EXPORT_DELAY, Service, event, february};

/// Converts a documented body to the SDK's own type.
fn body<T: DeserializeOwned>(body: Value) -> T {
    serde_json::from_value(body).unwrap()
}

fn retention(form: Value) -> UpdateOrganizationAuditLogsRetentionParams {
    UpdateOrganizationAuditLogsRetentionParams::new(body(form))
}

async fn export(service: &Service) -> String {
    let params = CreateExportParams::new(body(february()));
    let made = service.sdk().audit_logs().create_export(params).await;
    let made = made.unwrap();
    assert_eq!((made.state.as_str(), &made.url), ("pending", &None));
    made.id
}

#[tokio::test]
async fn event_is_stored_once_per_key() {
    let service = Service::start();
    service.register("team.updated").await;
    let sdk = service.sdk();
    for key in ["first", "first", "second"] {
        let options = RequestOptions::new().idempotency_key(key);
        let params = CreateEventParams::new(body(event()));
        let response = sdk
            .audit_logs()
            .create_event_with_options(params, Some(&options))
            .await;
        assert!(response.unwrap().success);
    }
    let params = CreateEventParams::new(body(event()));
    assert!(sdk.audit_logs().create_event(params).await.unwrap().success);
    let stored = service.server.events().unwrap();
    assert_eq!(stored.len(), 3);
    // The SDK stores every metadata number as a floating-point number, and writes it so.
    let mut sent = event()["event"].take();
    sent["metadata"]["seats"] = json!(12.0);
    sent["targets"][0]["metadata"]["size"] = json!(3.0);
    for stored in stored {
        assert_eq!(stored.event(), sent);
    }
}

#[tokio::test]
async fn schemas_round_trip() {
    let service = Service::start();
    let sdk = service.sdk();
    let sent = json!({
        "targets": [{ "type": "team", "metadata": { "type": "object" } }],
        "actor": { "metadata": { "type": "object", "properties": { "role": { "type": "string" } } } },
        "metadata": { "type": "object", "properties": { "plan": { "type": "string" } } }
    });
    // A name that has to be percent-encoded in the path.
    let action = "team/updated now";
    for version in 1..=2 {
        let params = CreateSchemaParams::new(body(sent.clone()));
        let made = sdk
            .audit_logs()
            .create_schema(action, params)
            .await
            .unwrap();
        assert_eq!(made.version, version);
        let made = serde_json::to_value(made).unwrap();
        for key in ["targets", "actor", "metadata"] {
            assert_eq!(made[key], sent[key]);
        }
    }
    let params = ListActionSchemasParams::default();
    let page = sdk.audit_logs().list_action_schemas(action, params).await;
    let versions: Vec<_> = page.unwrap().data.iter().map(|s| s.version).collect();
    assert_eq!(versions, [2, 1]);
}

#[tokio::test]
async fn action_has_a_schema_version() {
    let service = Service::start();
    service.register("team.updated").await;
    let params = ListActionsParams::default();
    let page = service.sdk().audit_logs().list_actions(params).await;
    let actions = page.unwrap().data;
    assert_eq!(actions.len(), 1);
    assert_eq!(actions[0].object, "audit_log_action");
    assert_eq!(actions[0].name, "team.updated");
    assert_eq!(actions[0].schema.version, 1);
}

#[tokio::test]
async fn lists_are_paged_to_the_end() {
    let service = Service::start();
    let names: Vec<_> = (0..21).map(|number| format!("a{number}")).collect();
    for name in &names {
        service.register(name).await;
    }
    for _ in 0..20 {
        service.register("a0").await;
    }
    let sdk = service.sdk();
    let audit_logs = sdk.audit_logs();
    let actions = audit_logs.list_actions_auto_paging(ListActionsParams::default());
    let actions: Vec<_> = actions.try_collect().await.unwrap();
    let newest_first = actions.iter().map(|action| &action.name);
    assert!(newest_first.eq(names.iter().rev()));
    let params = ListActionSchemasParams::default();
    let schemas = audit_logs.list_action_schemas_auto_paging("a0", params);
    let versions = schemas.map_ok(|schema| schema.version);
    let versions: Vec<_> = versions.try_collect().await.unwrap();
    assert_eq!(versions, (1..=21).rev().collect::<Vec<_>>());
}

#[tokio::test]
async fn export_is_polled_until_ready() {
    let service = Service::start();
    service.register("team.updated").await;
    let sdk = service.sdk();
    let params = CreateEventParams::new(body(event()));
    sdk.audit_logs().create_event(params).await.unwrap();
    let id = export(&service).await;
    let pending = sdk.audit_logs().get_export(&id).await.unwrap();
    assert_eq!((pending.state.as_str(), pending.url), ("pending", None));
    service.clock.advance(EXPORT_DELAY);
    let ready = sdk.audit_logs().get_export(&id).await.unwrap();
    assert_eq!(ready.state.as_str(), "ready");
    let (status, file) = service.download(&ready.url.unwrap()).await;
    assert_eq!(status, 200);
    assert_eq!(file.lines().count(), 2, "{file}");
    assert!(file.contains("Jon Smith"));
}

#[tokio::test]
async fn retention_is_set_in_both_forms() {
    let service = Service::start();
    let sdk = service.sdk();
    let get = async || {
        let audit_logs = sdk.audit_logs();
        let read = audit_logs.get_organization_audit_logs_retention("org_1");
        read.await.unwrap().retention_period_in_days
    };
    assert_eq!(get().await, None);
    for (form, days) in [
        (json!({ "retention_period": "7_YEARS" }), 2_555),
        (json!({ "retention_period_in_days": 90 }), 90),
    ] {
        let set = sdk
            .audit_logs()
            .update_organization_audit_logs_retention("org_1", retention(form))
            .await;
        assert_eq!(set.unwrap().retention_period_in_days, Some(days));
        assert_eq!(get().await, Some(days));
    }
}

/// The SDK's type has a number for the period, and no null.
#[tokio::test]
async fn configuration_is_read_with_and_without_a_period() {
    let service = Service::start();
    let sdk = service.sdk();
    let get = async || {
        let read = sdk
            .organizations()
            .get_audit_log_configuration("org_1")
            .await;
        read.unwrap()
    };
    let without = get().await;
    assert_eq!(
        (&*without.organization_id, without.state.as_str()),
        ("org_1", "active")
    );
    assert!(without.retention_period_in_days > 0 && without.log_stream.is_none());
    let period = retention(json!({ "retention_period": "1_YEAR" }));
    sdk.audit_logs()
        .update_organization_audit_logs_retention("org_1", period)
        .await
        .unwrap();
    assert_eq!(get().await.retention_period_in_days, 365);
}

#[tokio::test]
async fn portal_link_is_created_with_and_without_an_intent() {
    let service = Service::start();
    for form in [
        json!({ "organization": "org_1", "intent": "audit_logs", "return_url": "https://app.example" }),
        json!({ "organization": "org_1" }),
    ] {
        let params = GenerateLinkParams::new(body(form));
        let made = service.sdk().admin_portal().generate_link(params).await;
        let (status, page) = service.download(made.unwrap().link.expose()).await;
        // Without a cookie the link's page refuses the visitor.
        assert_eq!(status, 403, "{page}");
    }
}

#[tokio::test]
async fn error_has_status_code_and_request_id() {
    let service = Service::start();
    let sdk = service.sdk();
    let status_and_code = |error: Error| match error {
        Error::Api(error) => {
            assert!(error.request_id.is_some(), "{error:?}");
            (error.status, error.code.unwrap_or_default())
        }
        other => panic!("no response from the server: {other}"),
    };
    let params = CreateEventParams::new(body(event()));
    let error = sdk.audit_logs().create_event(params).await.unwrap_err();
    assert_eq!(
        status_and_code(error),
        (400, "invalid_audit_log_event".to_owned())
    );

    let mut reversed = february();
    reversed["range_end"] = json!("2026-01-01T00:00:00.000Z");
    let params = CreateExportParams::new(body(reversed));
    let error = sdk.audit_logs().create_export(params).await.unwrap_err();
    assert_eq!(
        status_and_code(error),
        (400, "invalid_audit_log_export_range_date".to_owned())
    );

    let error = sdk
        .audit_logs()
        .get_export("audit_log_export_1")
        .await
        .unwrap_err();
    assert_eq!(status_and_code(error).0, 404);
    let organizations = sdk.organizations();
    let unknown = organizations.get_audit_log_configuration("org_unknown");
    assert_eq!(status_and_code(unknown.await.unwrap_err()).0, 404);

    let form = json!({ "retention_period_in_days": 31 });
    let error = sdk
        .audit_logs()
        .update_organization_audit_logs_retention("org_1", retention(form))
        .await
        .unwrap_err();
    assert_eq!(status_and_code(error).0, 422);

    let limited = audit_server::Fault::status(429).retry_after("7");
    service.server.inject(limited);
    let error = sdk
        .audit_logs()
        .get_export("audit_log_export_1")
        .await
        .unwrap_err();
    assert_eq!(
        status_and_code(error),
        (429, "rate_limit_exceeded".to_owned())
    );
}

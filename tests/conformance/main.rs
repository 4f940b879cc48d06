//! Conformance with the API reference: the responses of the local server, the requests of our
//! client, and the official SDK with the local server. All tests use real sockets. Every response
//! to a raw request is validated against a JSON Schema of the documented one (`schemas`).
//! `documented.rs` lists the routes with their documented statuses; the last six rows of the table
//! apply to every route.
//!
//! | route | status | tests |
//! | --- | --- | --- |
//! | `POST /audit_logs/events` | 200 | `create_event::stored`, `create_event::stored_once_per_key` |
//! | `POST /audit_logs/events` | 400 | `create_event::schema_mismatch`, `create_event::unknown_action`, `create_event::value_over_the_limit` |
//! | `POST /audit_logs/events` | 404 | `create_event::unknown_organization` |
//! | `POST /audit_logs/events` | 422 | `create_event::missing_required_fields`, `create_event::flat_body` |
//! | `POST /audit_logs/actions/{actionName}/schemas` | 201 | `create_schema::registered`, `create_schema::registered_with_targets_only` |
//! | `POST /audit_logs/actions/{actionName}/schemas` | 422 | `create_schema::missing_targets`, `create_schema::actor_without_metadata` |
//! | `GET /audit_logs/actions/{actionName}/schemas` | 200 | `list_schemas::paged`, `list_schemas::ordered` |
//! | `GET /audit_logs/actions/{actionName}/schemas` | 400 | `list_schemas::name_not_utf8` |
//! | `GET /audit_logs/actions/{actionName}/schemas` | 404 | `list_schemas::unknown_action` |
//! | `GET /audit_logs/actions/{actionName}/schemas` | 422 | `list_schemas::invalid_query` |
//! | `GET /audit_logs/actions` | 200 | `list_actions::listed`, `list_actions::empty` |
//! | `GET /audit_logs/actions` | 422 | `list_actions::invalid_query` |
//! | `POST /audit_logs/exports` | 201 | `create_export::started` |
//! | `POST /audit_logs/exports` | 400 | `create_export::empty_range`, `create_export::unknown_organization`, `create_export::invalid_fields` |
//! | `GET /audit_logs/exports/{id}` | 200 | `get_export::pending`, `get_export::ready`, `get_export::url_expires_after_ten_minutes`, `get_export::failed`, `get_export::expired` |
//! | `GET /audit_logs/exports/{id}` | 404 | `get_export::unknown` |
//! | `GET /organizations/{id}/audit_logs_retention` | 200 | `get_retention::not_set` |
//! | `GET /organizations/{id}/audit_logs_retention` | 404 | `get_retention::unknown_organization` |
//! | `PUT /organizations/{id}/audit_logs_retention` | 200 | `set_retention::set_by_name`, `set_retention::set_by_days` |
//! | `PUT /organizations/{id}/audit_logs_retention` | 404 | `set_retention::unknown_organization` |
//! | `PUT /organizations/{id}/audit_logs_retention` | 422 | `set_retention::unsupported_period` |
//! | `GET /organizations/{id}/audit_log_configuration` | 200 | `get_configuration::with_retention_period`, `get_configuration::without_retention_period` |
//! | `GET /organizations/{id}/audit_log_configuration` | 404 | `get_configuration::unknown_organization` |
//! | `POST /portal/generate_link` | 201 | `generate_link::linked`, `generate_link::linked_with_every_field`, `generate_link::linked_without_an_intent` |
//! | `POST /portal/generate_link` | 400 | `generate_link::unsupported_intent` |
//! | `POST /portal/generate_link` | 404 | `generate_link::unknown_organization` |
//! | `POST /portal/generate_link` | 422 | `generate_link::invalid_fields` |
//! | every route | 401 | `unauthorized` |
//! | every route | 403 | `forbidden` |
//! | every route | 429 | `rate_limited` |
//! | every route with a body | 400 | `malformed` |
//! | every route with a body | 413 | `too_large` |
//! | every route with a body | 415 | `not_json` |
//!
//! The official SDK:
//!
//! | call | test |
//! | --- | --- |
//! | `audit_logs().create_event` | `sdk::event_is_stored_once_per_key` |
//! | `audit_logs().create_schema` | `sdk::schemas_round_trip` |
//! | `audit_logs().list_action_schemas` | `sdk::schemas_round_trip` |
//! | `audit_logs().list_action_schemas_auto_paging` | `sdk::lists_are_paged_to_the_end` |
//! | `audit_logs().list_actions` | `sdk::action_has_a_schema_version` |
//! | `audit_logs().list_actions_auto_paging` | `sdk::lists_are_paged_to_the_end` |
//! | `audit_logs().create_export` | `sdk::export_is_polled_until_ready` |
//! | `audit_logs().get_export` | `sdk::export_is_polled_until_ready` |
//! | `audit_logs().update_organization_audit_logs_retention` | `sdk::retention_is_set_in_both_forms` |
//! | `audit_logs().get_organization_audit_logs_retention` | `sdk::retention_is_set_in_both_forms` |
//! | `organizations().get_audit_log_configuration` | `sdk::configuration_is_read_with_and_without_a_period` |
//! | `admin_portal().generate_link` | `sdk::portal_link_is_created_with_and_without_an_intent` |
//! | any rejected call | `sdk::error_has_status_code_and_request_id` |
//!
//! Our client, every call of its front page:
//!
//! | call | test |
//! | --- | --- |
//! | `create_event` | `client::event_is_stored_once` |
//! | `create_schema` | `client::schemas_are_created_and_listed` |
//! | `schemas` | `client::lists_are_paged_to_the_end` |
//! | `list_schemas` | `client::schemas_are_created_and_listed` |
//! | `actions` | `client::lists_are_paged_to_the_end` |
//! | `list_actions` | `client::actions_are_listed_in_pages` |
//! | `create_export` | `client::export_is_created_awaited_and_downloaded` |
//! | `get_export` | `client::export_is_created_awaited_and_downloaded` |
//! | `wait_for_export` | `client::export_is_created_awaited_and_downloaded`, `client::wait_ends_when_the_export_fails_or_expires` |
//! | `download_export` | `client::export_is_created_awaited_and_downloaded` |
//! | `expand_actions` | `client::wildcard_expands_to_matching_names` |
//! | `retention` | `client::retention_is_set_and_read` |
//! | `set_retention` | `client::retention_is_set_and_read` |
//! | `configuration` | `client::configuration_is_read` |
//! | `generate_portal_link` | `client::portal_link_opens` |
//! | any rejected call | `client::error_describes_the_rejected_request` |
//!
//! Other tests:
//!
//! | subject | tests |
//! | --- | --- |
//! | the client's requests, field by field | `wire::event_has_the_documented_form`, `wire::minimal_event_omits_optional_fields`, `wire::schema_has_the_documented_form`, `wire::page_is_requested_by_query`, `wire::export_has_the_documented_form`, `wire::minimal_export_has_no_filters`, `wire::retention_is_set_by_period_name`, `wire::configuration_has_its_own_path`, `wire::portal_link_has_the_documented_form` |
//! | the limits of client and server | `limits::client_and_server_accept_the_same_keys`, `limits::values_are_truncated_at_the_servers_limit`, `limits::client_and_server_accept_the_same_number_of_keys`, `limits::client_and_server_accept_the_same_number_of_targets`, `limits::client_and_server_agree_at_each_limit` |
//! | points on which descriptions of the API disagree | `disagreements::every_point_has_a_test_or_a_sentence`, `disagreements::event_keeps_its_occurrence_time`, `disagreements::metadata_accepts_only_strings_numbers_and_booleans`, `disagreements::batches_are_not_supported`, `disagreements::server_does_not_expand_wildcards`, `disagreements::event_without_a_version_is_validated_against_version_1`, `disagreements::only_transient_errors_are_retryable`, `disagreements::idempotency_keys_apply_to_events_only`, `disagreements::idempotency_keys_are_scoped_to_the_api_key`, `disagreements::future_event_is_stored`, `disagreements::events_cannot_be_read_through_the_api`, `disagreements::recording_does_not_wait_for_the_service`, `disagreements::api_key_starts_with_sk` |
//! | the response schemas | `responses::schema_violation_is_detected` |
//! | these tables | `index::tables_match_the_tests`, `index::every_documented_status_of_every_route_has_a_test`, `index::servers_front_page_lists_the_tested_statuses`, `index::every_call_of_the_client_has_a_test` |
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod client;
mod disagreements;
mod documented;
mod index;
mod limits;
mod responses;
mod routes;
mod sdk;
mod service;
mod wire;

/// Lists the tests of every route.
macro_rules! every_route {
    () => {
        crate::general! { unauthorized, forbidden, rate_limited }
    };
}

/// Lists the tests of a route with a body.
macro_rules! with_a_body {
    () => {
        crate::general! { malformed, too_large, not_json }
    };
}

/// Generates tests that need only a valid request.
macro_rules! general {
    ($($test:ident),*) => {$(
        #[tokio::test]
        async fn $test() {
            responses::$test(NAME, route::good).await;
        }
    )*};
}
use general;

/// Generates a test of each row, and the rows as data: the route's module, the status, the test. A
/// test returns the [`Response`](service::Response) that is compared with its row.
macro_rules! rows {
    ($($route:ident: $($general:ident),* = [$($status:literal $test:ident),* $(,)?];)*) => {
        $(mod $route {
            use crate::responses;
            use crate::routes::$route as route;

            const NAME: &str = stringify!($route);
            $($general! {})*
            $(
                #[tokio::test]
                async fn $test() {
                    responses::check(NAME, $status, route::$test).await;
                }
            )*
        })*

        pub(crate) const ROWS: &[(&str, u16, &str)] =
            &[$($((stringify!($route), $status, stringify!($test))),*),*];
    };
}

mod rows {
    rows! {
        create_event: every_route, with_a_body = [
            200 stored, 200 stored_once_per_key, 400 schema_mismatch, 400 unknown_action, 400 value_over_the_limit, 404 unknown_organization, 422 missing_required_fields, 422 flat_body,
        ];
        create_schema: every_route, with_a_body = [
            201 registered, 201 registered_with_targets_only, 422 missing_targets, 422 actor_without_metadata,
        ];
        list_schemas: every_route = [
            200 paged, 200 ordered, 404 unknown_action, 422 invalid_query, 400 name_not_utf8,
        ];
        list_actions: every_route = [
            200 listed, 200 empty, 422 invalid_query,
        ];
        create_export: every_route, with_a_body = [
            201 started, 400 empty_range, 400 unknown_organization, 400 invalid_fields,
        ];
        get_export: every_route = [
            200 pending, 200 ready, 200 url_expires_after_ten_minutes, 200 failed, 200 expired, 404 unknown,
        ];
        get_retention: every_route = [
            200 not_set, 404 unknown_organization,
        ];
        set_retention: every_route, with_a_body = [
            200 set_by_name, 200 set_by_days, 404 unknown_organization, 422 unsupported_period,
        ];
        get_configuration: every_route = [
            200 with_retention_period, 200 without_retention_period, 404 unknown_organization,
        ];
        generate_link: every_route, with_a_body = [
            201 linked, 201 linked_with_every_field, 201 linked_without_an_intent, 400 unsupported_intent, 404 unknown_organization, 422 invalid_fields,
        ];
    }
}

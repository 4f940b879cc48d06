//! The API as its reference describes it: the local server answers so, our client asks so, and the
//! official SDK takes the one for the service. Everything goes over real sockets, and every answer
//! to a raw request is held against a JSON Schema of the documented one (`schemas`). The routes and
//! their documented statuses stand in `documented.rs`; the last six rows are those of every route.
//!
//! | route | status | tests |
//! | --- | --- | --- |
//! | `POST /audit_logs/events` | 200 | `create_event::stored`, `create_event::stored_once_per_key` |
//! | `POST /audit_logs/events` | 400 | `create_event::refused_by_its_schema`, `create_event::refused_for_an_unknown_action`, `create_event::refused_over_a_limit` |
//! | `POST /audit_logs/events` | 404 | `create_event::of_an_unknown_organization` |
//! | `POST /audit_logs/events` | 422 | `create_event::without_required_fields`, `create_event::flat` |
//! | `POST /audit_logs/actions/{actionName}/schemas` | 201 | `create_schema::registered`, `create_schema::registered_with_targets_only` |
//! | `POST /audit_logs/actions/{actionName}/schemas` | 422 | `create_schema::without_targets`, `create_schema::with_an_actor_without_metadata` |
//! | `GET /audit_logs/actions/{actionName}/schemas` | 200 | `list_schemas::paged`, `list_schemas::ordered` |
//! | `GET /audit_logs/actions/{actionName}/schemas` | 400 | `list_schemas::with_a_name_that_is_no_text` |
//! | `GET /audit_logs/actions/{actionName}/schemas` | 404 | `list_schemas::of_an_unknown_action` |
//! | `GET /audit_logs/actions/{actionName}/schemas` | 422 | `list_schemas::with_a_wrong_query` |
//! | `GET /audit_logs/actions` | 200 | `list_actions::listed`, `list_actions::empty` |
//! | `GET /audit_logs/actions` | 422 | `list_actions::with_a_wrong_query` |
//! | `POST /audit_logs/exports` | 201 | `create_export::started` |
//! | `POST /audit_logs/exports` | 400 | `create_export::of_no_range`, `create_export::of_an_unknown_organization`, `create_export::of_a_wrong_form` |
//! | `GET /audit_logs/exports/{id}` | 200 | `get_export::pending`, `get_export::ready`, `get_export::ready_with_a_url_for_ten_minutes`, `get_export::failed`, `get_export::expired` |
//! | `GET /audit_logs/exports/{id}` | 404 | `get_export::unknown` |
//! | `GET /organizations/{id}/audit_logs_retention` | 200 | `get_retention::not_set` |
//! | `GET /organizations/{id}/audit_logs_retention` | 404 | `get_retention::of_an_unknown_organization` |
//! | `PUT /organizations/{id}/audit_logs_retention` | 200 | `set_retention::set_by_name`, `set_retention::set_by_days` |
//! | `PUT /organizations/{id}/audit_logs_retention` | 404 | `set_retention::of_an_unknown_organization` |
//! | `PUT /organizations/{id}/audit_logs_retention` | 422 | `set_retention::to_no_period` |
//! | `GET /organizations/{id}/audit_log_configuration` | 200 | `get_configuration::of_a_period`, `get_configuration::of_no_period` |
//! | `GET /organizations/{id}/audit_log_configuration` | 404 | `get_configuration::of_an_unknown_organization` |
//! | `POST /portal/generate_link` | 201 | `generate_link::linked`, `generate_link::linked_with_every_field`, `generate_link::linked_without_an_intent` |
//! | `POST /portal/generate_link` | 400 | `generate_link::to_a_page_that_is_not_here` |
//! | `POST /portal/generate_link` | 404 | `generate_link::of_an_unknown_organization` |
//! | `POST /portal/generate_link` | 422 | `generate_link::of_a_wrong_form` |
//! | every route | 401 | `no_key` |
//! | every route | 403 | `no_permission` |
//! | every route | 429 | `too_many` |
//! | every route with a body | 400 | `malformed` |
//! | every route with a body | 413 | `too_large` |
//! | every route with a body | 415 | `not_json` |
//!
//! The official SDK:
//!
//! | call | test |
//! | --- | --- |
//! | `audit_logs().create_event` | `sdk::an_event_is_stored_once_per_key` |
//! | `audit_logs().create_schema` | `sdk::schemas_come_back_as_they_were_sent` |
//! | `audit_logs().list_action_schemas` | `sdk::schemas_come_back_as_they_were_sent` |
//! | `audit_logs().list_action_schemas_auto_paging` | `sdk::lists_are_followed_to_their_end` |
//! | `audit_logs().list_actions` | `sdk::an_action_shows_a_version_of_its_schema` |
//! | `audit_logs().list_actions_auto_paging` | `sdk::lists_are_followed_to_their_end` |
//! | `audit_logs().create_export` | `sdk::an_export_is_polled_until_its_file_is_there` |
//! | `audit_logs().get_export` | `sdk::an_export_is_polled_until_its_file_is_there` |
//! | `audit_logs().update_organization_audit_logs_retention` | `sdk::a_retention_is_set_in_both_forms` |
//! | `audit_logs().get_organization_audit_logs_retention` | `sdk::a_retention_is_set_in_both_forms` |
//! | `organizations().get_audit_log_configuration` | `sdk::a_configuration_is_read_with_and_without_a_period` |
//! | `admin_portal().generate_link` | `sdk::a_portal_link_is_made_with_and_without_an_intent` |
//! | any that is refused | `sdk::a_refusal_has_its_status_code_and_request_id` |
//!
//! Our client, each call of its front page:
//!
//! | call | test |
//! | --- | --- |
//! | `create_event` | `client::an_event_is_stored_once` |
//! | `create_schema` | `client::schemas_are_made_and_listed` |
//! | `schemas` | `client::lists_are_followed_to_their_end` |
//! | `list_schemas` | `client::schemas_are_made_and_listed` |
//! | `actions` | `client::lists_are_followed_to_their_end` |
//! | `list_actions` | `client::actions_are_listed_page_by_page` |
//! | `create_export` | `client::an_export_is_made_waited_for_and_downloaded` |
//! | `get_export` | `client::an_export_is_made_waited_for_and_downloaded` |
//! | `wait_for_export` | `client::an_export_is_made_waited_for_and_downloaded`, `client::a_wait_ends_with_the_export` |
//! | `download_export` | `client::an_export_is_made_waited_for_and_downloaded` |
//! | `expand_actions` | `client::a_wildcard_is_sent_as_the_names_that_it_matches` |
//! | `retention` | `client::a_retention_is_set_and_read` |
//! | `set_retention` | `client::a_retention_is_set_and_read` |
//! | `configuration` | `client::a_configuration_is_read` |
//! | `generate_portal_link` | `client::a_portal_link_opens` |
//! | any that is refused | `client::a_refusal_says_what_was_refused` |
//!
//! And beside these:
//!
//! | what | tests |
//! | --- | --- |
//! | the client's requests, field by field | `wire::an_event_has_the_documented_form`, `wire::the_smallest_event_leaves_out_what_is_optional`, `wire::a_schema_has_the_documented_form`, `wire::a_page_of_a_list_is_asked_for_in_the_query`, `wire::an_export_has_the_documented_form`, `wire::the_smallest_export_has_no_filters`, `wire::a_retention_is_set_by_the_name_of_its_period`, `wire::a_configuration_is_asked_for_under_its_own_path`, `wire::a_portal_link_has_the_documented_form` |
//! | the limits, for client and server alike | `limits::a_key_is_valid_for_both_or_for_neither`, `limits::a_value_is_cut_exactly_where_the_server_would_refuse_it`, `limits::as_many_keys_are_built_as_the_server_takes`, `limits::as_many_targets_are_built_as_the_server_takes`, `limits::each_limit_is_the_last_that_both_take` |
//! | points on which descriptions of the API disagree | `disagreements::every_point_is_settled_by_a_test_or_a_sentence`, `disagreements::an_event_keeps_the_time_at_which_it_happened`, `disagreements::nothing_but_texts_numbers_and_booleans_is_metadata`, `disagreements::there_is_no_batch`, `disagreements::the_server_knows_no_wildcard`, `disagreements::without_a_version_the_first_schema_counts`, `disagreements::only_what_may_pass_later_is_worth_repeating`, `disagreements::only_events_are_kept_from_being_made_twice`, `disagreements::a_key_counts_for_its_api_key_alone`, `disagreements::an_event_of_the_future_is_stored`, `disagreements::events_are_not_read_through_the_api`, `disagreements::recording_does_not_wait_for_the_service`, `disagreements::a_key_begins_with_sk` |
//! | the schemas are of use | `answers::an_answer_of_another_form_is_noticed` |
//! | these tables | `index::every_test_is_in_a_table_and_every_name_in_a_table_is_a_test`, `index::every_documented_status_of_every_route_has_a_test`, `index::the_servers_front_page_lists_what_the_tests_reach`, `index::every_call_of_the_client_has_a_test` |
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod answers;
mod client;
mod disagreements;
mod documented;
mod index;
mod limits;
mod routes;
mod sdk;
mod service;
mod wire;

/// The tests that every route has.
macro_rules! every_route {
    () => {
        crate::general! { no_key, no_permission, too_many }
    };
}

/// The tests of a route that takes a body.
macro_rules! with_a_body {
    () => {
        crate::general! { malformed, too_large, not_json }
    };
}

/// Tests that need no more than a request that the route takes.
macro_rules! general {
    ($($test:ident),*) => {$(
        #[tokio::test]
        async fn $test() {
            answers::$test(NAME, route::good).await;
        }
    )*};
}
use general;

/// Makes a test of each row, and the rows as data: the route's module, the status, the test. A test
/// gives back the one [`Answer`](service::Answer) that is then held against its row.
macro_rules! rows {
    ($($route:ident: $($general:ident),* = [$($status:literal $test:ident),* $(,)?];)*) => {
        $(mod $route {
            use crate::answers;
            use crate::routes::$route as route;

            const NAME: &str = stringify!($route);
            $($general! {})*
            $(
                #[tokio::test]
                async fn $test() {
                    answers::check(NAME, $status, route::$test).await;
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
            200 stored, 200 stored_once_per_key, 400 refused_by_its_schema, 400 refused_for_an_unknown_action, 400 refused_over_a_limit, 404 of_an_unknown_organization, 422 without_required_fields, 422 flat,
        ];
        create_schema: every_route, with_a_body = [
            201 registered, 201 registered_with_targets_only, 422 without_targets, 422 with_an_actor_without_metadata,
        ];
        list_schemas: every_route = [
            200 paged, 200 ordered, 404 of_an_unknown_action, 422 with_a_wrong_query, 400 with_a_name_that_is_no_text,
        ];
        list_actions: every_route = [
            200 listed, 200 empty, 422 with_a_wrong_query,
        ];
        create_export: every_route, with_a_body = [
            201 started, 400 of_no_range, 400 of_an_unknown_organization, 400 of_a_wrong_form,
        ];
        get_export: every_route = [
            200 pending, 200 ready, 200 ready_with_a_url_for_ten_minutes, 200 failed, 200 expired, 404 unknown,
        ];
        get_retention: every_route = [
            200 not_set, 404 of_an_unknown_organization,
        ];
        set_retention: every_route, with_a_body = [
            200 set_by_name, 200 set_by_days, 404 of_an_unknown_organization, 422 to_no_period,
        ];
        get_configuration: every_route = [
            200 of_a_period, 200 of_no_period, 404 of_an_unknown_organization,
        ];
        generate_link: every_route, with_a_body = [
            201 linked, 201 linked_with_every_field, 201 linked_without_an_intent, 400 to_a_page_that_is_not_here, 404 of_an_unknown_organization, 422 of_a_wrong_form,
        ];
    }
}

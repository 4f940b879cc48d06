//! What delivery has to survive, and the tests that it does. Those of this folder balance the
//! ledger of their recorder at the end, in whatever process it is. 11 is a fork, of which the
//! documentation of `Recorder` speaks; what follows 40 needs a fleet.
//!
//! | fault | what happens | tests |
//! | ---: | --- | --- |
//! | 1 | the queue is full | `fault_01_a_full_queue_hands_every_event_back_that_it_does_not_take` |
//! | 2 | a gap in the trail | `fault_02_one_event_per_organization_tells_of_the_gap` |
//! | 3 | memory in a long outage | `fault_03_ten_minutes_of_outage_stay_within_the_bound` |
//! | 4 | shutdown, the sink takes everything | `fault_04_a_shutdown_delivers_everything_and_says_so_twice` |
//! | 5 | shutdown, the sink answers nobody | `fault_05_a_shutdown_ends_at_its_deadline_and_the_hook_gets_what_is_lost`, `audit-core/tests/spooled.rs::fault_05_a_shutdown_of_a_dead_sink_keeps_more_on_the_spool_than_waits_at_once` |
//! | 6 | the process ends without a shutdown | `fault_06_a_guard_delivers_at_the_end_of_the_process_and_without_one_nobody_waits` |
//! | 7 | the caller's runtime goes away | `fault_07_a_recorder_outlives_the_runtime_of_its_caller` |
//! | 8 | every kind of runtime, and none | `fault_08_no_call_deadlocks_in_any_runtime` |
//! | 9 | a panic in the sink or in a hook | `fault_09_a_panic_in_the_sink_or_the_hook_costs_one_event_and_nothing_else` |
//! | 10 | the dispatcher panics | `fault_10_a_dispatcher_that_panics_is_started_again_and_keeps_its_events`, `audit-core/src/dispatcher/tests.rs::a_dispatcher_that_panics_is_started_again_with_all_its_events`, `audit-core/src/dispatcher/tests.rs::a_dispatcher_that_cannot_live_is_given_up_and_says_so` |
//! | 12 | the process is killed | `audit-core/tests/killed.rs::fault_12_whatever_was_acknowledged_before_the_kill_arrives_once` |
//! | 13 | the power fails | `audit-core/src/spool/tests/power_loss.rs::fault_13_every_prefix_of_the_log_has_what_was_acknowledged_in_it` |
//! | 14 | the disk is full | `audit-core/src/spool/tests/full.rs::fault_14_a_database_that_may_not_grow_refuses_deletes_and_recovers`, `audit-core/src/spool/tests/full.rs::fault_14_a_full_disk_refuses_deletes_and_recovers` |
//! | 15 | the disk fails | `audit-core/src/spool/tests/commits.rs::fault_15_a_commit_that_is_done_and_says_it_failed_is_taken_back`, `audit-core/src/spool/tests/commits.rs::fault_15_a_disk_that_never_works_again_does_not_keep_the_spool_open`, `audit-core/src/spool/tests/commits.rs::fault_15_a_failed_commit_is_told_and_leaves_nothing`, `audit-core/src/spool/tests/commits.rs::fault_15_a_refusal_that_nobody_waited_for_is_counted`, `audit-core/src/spool/tests/commits.rs::fault_15_a_spool_that_closes_gives_back_what_is_waited_for_patiently`, `audit-core/src/spool/tests/commits.rs::fault_15_who_waits_patiently_waits_until_the_disk_works` |
//! | 16 | the spool is damaged | `audit-core/src/dispatcher/run/spool_tests.rs::fault_16_events_that_damage_hides_from_the_reader_are_found_when_they_are_missed`, `audit-core/src/spool/tests/damage.rs::fault_16_a_damaged_number_of_a_row_costs_no_event_and_leaves_none_behind`, `audit-core/src/spool/tests/damage.rs::fault_16_a_flipped_bit_in_an_event_costs_that_event_and_is_counted`, `audit-core/src/spool/tests/damage.rs::fault_16_a_refused_event_in_a_row_that_is_hidden_becomes_one_dead_letter`, `audit-core/src/spool/tests/damage.rs::fault_16_one_damaged_page_costs_the_rows_on_it_and_the_file_is_set_aside`, `audit-core/src/spool/tests/damage.rs::fault_16_whatever_was_damaged_the_spool_opens_and_tells_no_wrong_event` |
//! | 17 | a spool of another version | `audit-core/src/spool/tests/files.rs::fault_17_a_file_of_a_newer_version_stays_and_another_is_used_beside_it`, `audit-core/src/spool/tests/files.rs::fault_17_a_file_of_the_first_version_is_read` |
//! | 18 | two processes, one spool | `audit-core/src/spool/tests/files.rs::fault_18_a_second_spool_of_the_same_file_is_told_so` |
//! | 19 | a slow sink | `fault_19_a_slow_sink_gets_as_many_attempts_at_once_as_are_allowed` |
//! | 20 | 429 with `Retry-After` | `fault_20_a_limit_pauses_everything_for_as_long_as_it_says` |
//! | 21 | 429 with a date, nothing, nonsense | `fault_21_a_date_holds_everything_back_and_one_event_goes_first`, `fault_21_a_limit_is_believed_for_five_minutes_and_without_a_time_asked_again`, `fault_21_retry_after_is_read_from_the_wire_by_the_servers_clock_and_capped`, `audit-core/src/workos/retry_after.rs::seconds_and_dates_by_the_servers_clock_are_read` |
//! | 22 | the pace | `fault_22_no_minute_sees_more_attempts_than_the_service_takes` |
//! | 23 | a storm of 5xx | `fault_23_a_storm_of_5xx_is_asked_once_a_second_at_most_and_then_all_arrives` |
//! | 24 | 5xx for one event only | `fault_24_an_event_that_always_fails_waits_longer_and_longer_and_delays_nobody` |
//! | 25 | an event that is refused for good | `fault_25_a_poisoned_event_is_a_dead_letter_and_the_next_goes_at_once` |
//! | 26 | a wrong key, a wrong address | `fault_26_a_refused_key_pauses_all_until_the_next_one_is_read`, `fault_26_a_wrong_address_pauses_and_makes_no_dead_letter` |
//! | 27 | names that are not found | `fault_27_a_name_that_is_not_found_keeps_events_and_each_connection_looks_it_up_anew` |
//! | 28 | no connection, no trust | `fault_28_a_certificate_that_is_unknown_or_expired_is_named_in_health_and_events_wait`, `fault_28_a_closed_port_keeps_events_until_it_is_open` |
//! | 29 | a connection that breaks before the answer | `fault_29_a_connection_that_the_server_closes_while_idle_loses_no_event`, `fault_29_a_connection_that_went_stale_costs_one_repetition_and_no_event`, `fault_29_a_reset_before_the_answer_is_repeated_at_once_with_the_same_key` |
//! | 30 | a connection that breaks in the answer | `fault_30_an_answer_that_breaks_off_is_no_delivery_and_the_same_key_is_sent_again` |
//! | 31 | answers that are none | `fault_31_a_redirect_is_not_followed_with_the_key`, `fault_31_an_answer_that_denies_success_makes_a_dead_letter_at_once`, `fault_31_an_answer_that_is_not_the_services_is_no_delivery` |
//! | 32 | duplicates | `fault_32_every_attempt_has_the_same_key_and_the_same_body`, `audit-core/src/dispatcher/run/spool_tests.rs::fault_32_a_doubt_of_an_earlier_process_is_as_old_as_it_was`, `audit-core/src/dispatcher/tests.rs::after_a_day_of_doubt_an_event_says_that_it_may_be_a_duplicate` |
//! | 33 | a noisy organization | `fault_33_a_noisy_organization_delays_a_quiet_one_by_its_turn_and_no_more` |
//! | 34 | clocks that differ | `fault_34_a_clock_that_agrees_is_not_logged`, `fault_34_a_clock_that_is_set_changes_no_event_and_stops_no_delivery`, `fault_34_an_event_carries_the_time_of_recording_and_a_clock_that_differs_is_logged` |
//! | 35 | a process that stands still | `fault_35_after_a_stop_of_the_process_the_pace_is_kept` |
//! | 36 | values and events beyond the limits | `fault_36_what_is_beyond_the_limits_is_cut_and_taken`, `audit-core/src/event/wire.rs::an_oversize_event_sheds_its_metadata_and_says_so` |
//! | 37 | secrets | `fault_37_neither_the_key_nor_what_was_recorded_is_told_to_anybody_else` |
//! | 38 | calls from logs, drops and panic hooks | `fault_38_an_event_may_be_recorded_from_a_log_line_a_drop_and_a_panic_hook` |
//! | 39 | flush under load | `fault_39_a_flush_ends_under_constant_load` |
//! | 40 | a start with a large backlog | `audit-core/src/spool/tests/backlog.rs::fault_40_opening_reads_the_counts_and_no_row_and_the_backlog_streams` |

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod clock;
mod flood;
mod http;
mod index;
mod policy;
mod process;
mod server;
mod support;

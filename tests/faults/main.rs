//! The faults that delivery has to survive, and their tests. Every test of this folder asserts at
//! its end that the counters of its recorder balance, also in child processes. Fault 11 is a fork,
//! see the documentation of `Recorder`; faults after 40 need a fleet.
//!
//! | fault | cause | tests |
//! | ---: | --- | --- |
//! | 1 | the queue is full | `fault_01_full_queue_returns_every_refused_event` |
//! | 2 | a gap in the audit log | `fault_02_gap_is_reported_once_per_organization` |
//! | 3 | memory in a long outage | `fault_03_memory_stays_bounded_in_a_ten_minute_outage` |
//! | 4 | shutdown while the sink accepts events | `fault_04_shutdown_delivers_everything_and_a_second_returns_the_same_report` |
//! | 5 | shutdown while the sink does not respond | `fault_05_shutdown_ends_at_its_deadline_and_the_hook_receives_lost_events`, `audit-core/tests/spooled.rs::fault_05_shutdown_spools_more_events_than_the_write_queue_holds` |
//! | 6 | the process exits without a shutdown | `fault_06_guard_delivers_at_process_exit_and_a_leaked_recorder_does_not_delay_exit` |
//! | 7 | the caller's runtime is dropped | `fault_07_recorder_outlives_the_runtime_of_its_caller` |
//! | 8 | every kind of runtime, and none | `fault_08_no_call_deadlocks_in_any_runtime` |
//! | 9 | a panic in the sink or in a hook | `fault_09_panic_in_the_sink_or_hook_costs_one_event` |
//! | 10 | the dispatcher panics | `fault_10_panicked_dispatcher_restarts_with_its_events`, `audit-core/src/delivery/dispatcher/tests/mod.rs::a_dispatcher_that_panics_is_started_again_with_all_its_events`, `audit-core/src/delivery/dispatcher/tests/mod.rs::a_dispatcher_that_cannot_live_is_given_up_and_says_so` |
//! | 12 | the process is killed | `audit-core/tests/killed.rs::fault_12_acknowledged_events_arrive_once_after_a_kill` |
//! | 13 | the power fails | `audit-core/src/spool/tests/power_loss.rs::fault_13_every_prefix_of_the_wal_has_the_events_acknowledged_in_it` |
//! | 14 | the disk is full | `audit-core/src/spool/tests/full_disk.rs::fault_14_database_at_its_page_limit_refuses_deletes_and_recovers`, `audit-core/src/spool/tests/full_disk.rs::fault_14_full_disk_refuses_deletes_and_recovers` |
//! | 15 | the disk fails | `audit-core/src/spool/tests/failed_commits.rs::fault_15_commit_that_succeeds_with_an_error_is_retracted`, `audit-core/src/spool/tests/failed_commits.rs::fault_15_permanently_failing_disk_does_not_block_close`, `audit-core/src/spool/tests/failed_commits.rs::fault_15_failed_commit_is_reported_and_leaves_no_row`, `audit-core/src/spool/tests/failed_commits.rs::fault_15_refusal_without_a_waiter_is_counted`, `audit-core/src/spool/tests/failed_commits.rs::fault_15_close_returns_the_events_that_are_still_retried`, `audit-core/src/spool/tests/failed_commits.rs::fault_15_append_until_closed_waits_until_the_disk_works` |
//! | 16 | the spool is corrupted | `audit-core/src/delivery/dispatcher/tests/spool.rs::fault_16_events_hidden_by_corruption_are_found_when_missing`, `audit-core/src/spool/tests/corruption.rs::fault_16_corrupt_row_id_loses_no_event_and_leaves_none_behind`, `audit-core/src/spool/tests/corruption.rs::fault_16_flipped_bit_loses_only_its_event_and_is_counted`, `audit-core/src/spool/tests/corruption.rs::fault_16_rejected_event_in_a_hidden_row_becomes_one_dead_letter`, `audit-core/src/spool/tests/corruption.rs::fault_16_corrupt_page_loses_only_its_rows_and_the_file_is_quarantined`, `audit-core/src/spool/tests/corruption.rs::fault_16_any_corruption_opens_and_yields_no_wrong_event` |
//! | 17 | a spool of another version | `audit-core/src/spool/tests/files.rs::fault_17_file_of_a_newer_version_is_unchanged_and_another_is_used`, `audit-core/src/spool/tests/files.rs::fault_17_file_of_the_first_version_is_read` |
//! | 18 | two processes, one spool | `audit-core/src/spool/tests/files.rs::fault_18_second_spool_of_the_same_file_is_refused` |
//! | 19 | a slow sink | `fault_19_slow_sink_receives_the_allowed_number_of_concurrent_attempts` |
//! | 20 | 429 with `Retry-After` | `fault_20_retry_after_pauses_all_delivery_for_its_time` |
//! | 21 | 429 with a date, without or with an invalid `Retry-After` | `fault_21_retry_after_date_pauses_all_and_one_event_probes_first`, `fault_21_retry_after_is_capped_at_five_minutes_and_without_it_backoff_applies`, `fault_21_retry_after_is_read_by_the_servers_clock_and_capped`, `audit-core/src/workos/retry_after.rs::seconds_and_dates_are_parsed_against_the_servers_clock` |
//! | 22 | the rate limit | `fault_22_attempts_per_minute_stay_within_the_rate_limit` |
//! | 23 | persistent 5xx | `fault_23_server_errors_are_probed_at_most_once_a_second_and_then_all_events_arrive` |
//! | 24 | 5xx for one event only | `fault_24_failing_event_backs_off_and_does_not_delay_others` |
//! | 25 | an event that is rejected | `fault_25_rejected_event_becomes_a_dead_letter_and_does_not_delay_the_next` |
//! | 26 | a wrong key, a wrong address | `fault_26_unauthorized_key_pauses_delivery_until_it_is_rotated`, `fault_26_wrong_address_pauses_delivery_without_dead_letters` |
//! | 27 | DNS failures | `fault_27_unresolved_host_keeps_events_and_each_connection_resolves_again` |
//! | 28 | refused connections, untrusted certificates | `fault_28_untrusted_or_expired_certificate_is_reported_in_health_and_events_wait`, `fault_28_closed_port_keeps_events_until_it_opens` |
//! | 29 | a connection lost before the response | `fault_29_connection_closed_while_idle_loses_no_event`, `fault_29_stale_connection_costs_one_retry_and_no_event`, `fault_29_reset_before_the_response_is_retried_immediately_with_the_same_key` |
//! | 30 | a connection lost within the response | `fault_30_truncated_response_is_retried_with_the_same_key` |
//! | 31 | invalid responses | `fault_31_redirect_is_not_followed`, `fault_31_unsuccessful_response_becomes_a_dead_letter_without_retry`, `fault_31_foreign_response_is_not_a_delivery` |
//! | 32 | duplicates | `fault_32_every_attempt_has_the_same_key_and_body`, `audit-core/src/delivery/dispatcher/tests/spool.rs::fault_32_an_ambiguity_of_an_earlier_process_keeps_its_age`, `audit-core/src/delivery/dispatcher/tests/mod.rs::after_a_day_of_ambiguity_an_event_is_marked_maybe_duplicate` |
//! | 33 | a noisy organization | `fault_33_noisy_organization_delays_a_quiet_one_by_at_most_one_turn` |
//! | 34 | clock skew | `fault_34_synchronized_clock_is_not_logged`, `fault_34_clock_change_alters_no_event_and_stops_no_delivery`, `fault_34_event_has_its_recording_time_and_clock_skew_is_logged` |
//! | 35 | a stopped process | `fault_35_rate_limit_holds_after_the_process_was_stopped` |
//! | 36 | values and events beyond the limits | `fault_36_oversize_events_are_truncated_and_accepted`, `audit-core/src/event/wire.rs::an_oversize_event_sheds_its_metadata_and_lists_the_keys` |
//! | 37 | secrets | `fault_37_api_key_and_event_content_are_not_disclosed` |
//! | 38 | calls from log layers, destructors and panic hooks | `fault_38_events_can_be_recorded_from_log_drop_and_panic_hook` |
//! | 39 | flush under load | `fault_39_flush_completes_under_constant_load` |
//! | 40 | a start with a large backlog | `audit-core/src/spool/tests/backlog.rs::fault_40_opening_reads_only_the_totals_and_the_backlog_is_paged` |
//! | 41 | one event that alone is refused, in any form | `fault_41_failures_of_some_events_stop_no_other_and_lose_nothing`, `fault_41_every_response_to_one_event_stops_no_other`, `audit-core/src/delivery/decide.rs::fault_41_an_event_that_fails_alone_is_given_up_after_a_number_of_rounds`, `audit-core/src/delivery/dispatcher/tests/partial.rs::fault_41_one_event_that_always_fails_stops_no_other`, `audit-core/src/delivery/dispatcher/tests/partial.rs::fault_41_an_event_that_fails_alone_becomes_a_dead_letter_with_the_reason` |
//! | 42 | spooled events that always fail | `audit-core/src/delivery/dispatcher/tests/partial.rs::fault_42_a_thousand_failing_events_of_the_spool_stop_no_other` |
//! | 43 | many events in memory that always fail | `audit-core/src/delivery/dispatcher/tests/partial.rs::fault_43_a_thousand_failing_events_delay_and_displace_no_other`, `audit-core/src/delivery/dispatcher/tests/partial.rs::fault_43_events_that_fail_steadily_make_room_in_the_queue` |
//! | 44 | a scope that is never settled | `audit-core/src/scope/scope.rs::fault_44_a_scope_that_is_only_entered_records_its_events_when_it_is_dropped` |
//! | 45 | health while nothing is delivered | `audit-core/src/delivery/circuit_breaker.rs::fault_45_an_attempt_from_before_the_pause_does_not_end_it`, `audit-core/src/delivery/dispatcher/tests/health.rs::fault_45_a_pause_is_no_health_although_attempts_from_before_it_pass`, `audit-core/src/delivery/dispatcher/tests/health.rs::fault_45_a_sink_that_blocks_its_thread_makes_health_unhealthy`, `audit-core/src/delivery/dispatcher/tests/health.rs::fault_45_attempts_that_never_end_are_ended_and_degrade_health`, `audit-core/src/delivery/dispatcher/tests/health.rs::fault_45_events_that_wait_on_the_disk_have_an_age`, `audit-core/src/delivery/dispatcher/tests/health.rs::fault_45_one_event_that_waits_for_a_sink_that_is_down_degrades_health`, `audit-core/src/delivery/dispatcher/tests/health.rs::fault_45_rejected_events_degrade_health_and_dropped_dead_letters_more`, `audit-core/src/telemetry/assess.rs::fault_45_every_state_has_its_health_and_all_problems_are_listed` |
//! | 46 | two owners of one spool | `audit-core/src/spool/tests/ownership.rs::fault_46_second_recorder_on_one_spool_is_an_error`, `audit-core/src/spool/tests/ownership.rs::fault_46_no_name_of_a_spool_admits_a_second_owner`, `audit-core/src/spool/tests/ownership.rs::fault_46_error_of_a_locked_spool_names_its_owner`, `audit-core/src/spool/tests/ownership.rs::fault_46_rebuilt_file_is_locked_under_all_its_names` |
//! | 47 | a sink, a hook, a name resolution or a disk that blocks | `audit-core/src/delivery/supervise.rs::fault_47_a_shutdown_does_not_wait_for_blocking_tasks_of_the_runtime`, `audit-core/src/delivery/dispatcher/ends.rs::fault_47_the_hook_is_called_for_lost_events_until_its_time_is_over`, `audit-core/src/recorder/tests/deadlines.rs::fault_47_blocking_calls_return_while_the_sink_blocks`, `audit-core/src/recorder/tests/deadlines.rs::fault_47_async_calls_return_while_the_sink_blocks`, `audit-core/src/recorder/tests/deadlines.rs::fault_47_more_calls_than_the_dispatcher_queues_return_while_the_sink_blocks`, `audit-core/src/recorder/tests/deadlines.rs::fault_47_calls_return_while_the_hook_blocks`, `audit-core/src/recorder/tests/deadlines.rs::fault_47_a_shutdown_reports_before_the_hook_has_taken_the_lost_events`, `audit-core/src/recorder/tests/deadlines.rs::fault_47_a_shutdown_waits_for_a_quick_hook`, `audit-core/src/recorder/tests/deadlines.rs::fault_47_a_hook_that_flushes_or_shuts_down_returns_at_once`, `audit-core/src/recorder/tests/durable.rs::fault_47_a_shutdown_returns_while_the_disk_stands_still`, `audit-core/src/recorder/tests/durable.rs::fault_47_a_durable_event_keeps_its_deadline_while_sink_and_disk_block` |
//! | 48 | files of a spool in use are removed or replaced | `audit-core/src/spool/tests/placement.rs::fault_48_events_of_a_removed_file_are_moved_before_the_next_acknowledgement`, `audit-core/src/spool/tests/placement.rs::fault_48_file_that_replaces_a_spool_in_use_is_quarantined_unchanged`, `audit-core/src/spool/tests/placement.rs::fault_48_renamed_folder_takes_the_spool_along`, `audit-core/src/spool/tests/placement.rs::fault_48_removed_file_is_noticed_without_traffic_and_at_the_end`, `audit-core/src/spool/tests/placement.rs::fault_48_no_acknowledged_event_is_lost_when_files_are_removed_during_commits`, `audit-core/src/spool/tests/placement.rs::fault_48_no_event_is_acknowledged_until_a_new_file_has_the_others`, `audit-core/src/spool/tests/placement.rs::fault_48_rows_of_a_removed_file_that_is_corrupt_are_salvaged`, `audit-core/src/spool/tests/placement.rs::fault_48_events_that_cannot_be_moved_are_counted_as_lost`, `audit-core/src/spool/tests/placement.rs::fault_48_delivered_events_of_a_file_that_cannot_be_moved_are_not_lost`, `audit-core/src/spool/tests/placement.rs::fault_48_recorder_delivers_every_event_of_a_removed_file_once`, `audit-core/src/spool/tests/placement.rs::fault_48_file_of_another_owner_is_never_replaced` |
//! | 49 | the first page of the spool is corrupted | `audit-core/src/spool/tests/first_page.rs::fault_49_any_corruption_of_the_first_page_keeps_every_event`, `audit-core/src/spool/tests/first_page.rs::fault_49_delivered_events_stay_delivered_when_the_first_page_is_lost`, `audit-core/src/spool/tests/first_page.rs::fault_49_delivered_events_come_back_rather_than_pending_ones_are_lost`, `audit-core/src/spool/tests/first_page.rs::fault_49_lost_page_of_rows_is_counted_exactly`, `audit-core/src/spool/tests/first_page.rs::fault_49_unknown_loss_is_never_reported_as_none`, `audit-core/src/spool/tests/first_page.rs::fault_49_corrupt_version_is_not_taken_for_a_newer_one` |
//! | 50 | processes with a copy of the same state, forked or resumed | `audit-core/src/event/id.rs::fault_50_a_generator_is_seeded_again_in_a_forked_process_and_after_a_second` |
//! | 51 | a `Retry-After` of nothing | `audit-core/src/delivery/decide.rs::fault_51_a_retry_after_of_nothing_is_no_hot_loop` |
//! | 52 | an attempt whose result is not known, over a shutdown or a crash | `audit-core/src/delivery/dispatcher/tests/spool.rs::fault_52_an_attempt_whose_result_is_not_known_is_kept_over_a_shutdown` |
//! | 53 | a durable event while the disk stands still | `audit-core/src/recorder/tests/durable.rs::fault_53_a_durable_event_parks_no_thread_of_a_runtime`, `audit-core/src/recorder/tests/durable.rs::fault_53_a_durable_event_without_a_waiter_is_counted_at_its_deadline`, `audit-core/src/recorder/tests/durable.rs::fault_53_a_durable_event_outside_a_runtime_is_on_disk_when_the_call_returns`, `audit-core/src/recorder/tests/durable.rs::fault_53_a_written_event_is_awaited_and_given_to_the_disk_by_the_call` |
//! | 54 | a path that changes its meaning: a new working directory, a link | `audit-core/src/spool/tests/ownership.rs::fault_54_spool_of_a_relative_path_stays_in_its_folder`, `audit-core/src/spool/tests/ownership.rs::fault_54_repair_of_a_linked_spool_replaces_the_target_and_not_the_link` |
//! | 55 | a value or a principal that panics | `audit-core/src/event/event.rs::fault_55_a_value_that_panics_leaves_a_valid_event_without_that_field`, `audit-core/src/scope/draft.rs::fault_55_a_target_that_panics_leaves_an_event_with_everything_else`, `audit-core/src/scope/draft.rs::fault_55_a_panic_that_the_body_catches_leaves_out_only_its_field`, `audit-core/src/web/identity.rs::fault_55_a_principal_that_panics_leaves_an_event_with_an_unresolved_actor` |
//! | 56 | waits while the dispatcher is blocked | `audit-core/src/recorder/tests/durable.rs::fault_56_waits_leave_nothing_behind_while_the_dispatcher_is_blocked` |
//! | 57 | a durable event that is refused during a flush | `audit-core/src/recorder/tests/durable.rs::fault_57_a_flush_ends_when_the_event_it_waits_for_is_refused`, `audit-core/src/recorder/tests/durable.rs::fault_57_a_refused_event_ends_no_flush_that_began_before_it` |
//! | 58 | totals of a spool that are too small | `audit-core/src/delivery/dispatcher/tests/spool.rs::fault_58_totals_that_are_too_small_leave_no_event_unread` |
//! | 59 | a predecessor that still has the spool open, a reader that keeps the WAL from shrinking, a check that fails again and again | `audit-core/src/spool/tests/placement.rs::fault_59_wal_that_a_reader_keeps_growing_degrades_the_spool`, `audit-core/src/spool/corruption.rs::fault_59_failing_check_of_the_whole_file_backs_off`, `audit-core/src/spool/tests/ownership.rs::fault_59_open_waits_for_a_predecessor_that_ends` |

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
mod partial;
mod policy;
mod process;
mod server;
mod support;

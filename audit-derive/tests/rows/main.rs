//! Audits functions of many shapes, under the lints of a strict project.
//!
//! Each shape is called and its events are compared (action, targets, outcome), because an
//! attribute without effect would compile too. `row_01_…` to `row_60_…` are shapes and situations,
//! `trap_01_…` to `trap_18_…` are failures to avoid. Tests of compiler messages are files of
//! `tests/ui`; tests that need a crate of their own are in `tests/crates` of the workspace.
//! `index.rs` compares this list with the existing tests.
//!
//! | number | shape | tests |
//! | --- | --- | --- |
//! | 1 | async function that returns a `Result` | `row_01_async_result` |
//! | 2 | `?` and an early `return` | `row_02_early_return`, `row_02_question_mark` |
//! | 3 | no value: no return type, `()`, an inferred one | `row_03_unit_async`, `row_03_unit_inferred`, `row_03_unit_return`, `row_03_unit_to_the_end`, `row_03_unit_type` |
//! | 4 | `impl IntoResponse`, `impl Display` | `row_04_opaque_response`, `row_04_opaque_response_that_denies`, `row_04_opaque_value` |
//! | 5 | `impl Trait` inside a `Result` | `row_05_error`, `row_05_opaque_inside`, `row_05_response_that_denies`, `row_05_response_that_fails`, `row_05_response_that_succeeds` |
//! | 6 | result that is coerced to a trait object | `row_06_coercion`, `row_06_coercion_of_an_error` |
//! | 7 | borrow of an argument is returned | `row_07_borrow_that_is_returned` |
//! | 8 | `mut` argument by value | `row_08_mutated_argument`, `row_08_mutated_argument_sync` |
//! | 9 | argument that is set to a borrow of a local | `row_09_reassigned_argument`, `row_09_reassigned_argument_sync` |
//! | 10 | captured argument that the body moves | `row_10_moved_argument` |
//! | 11 | captured `Option` that the body moves | `row_11_option_that_is_moved` |
//! | 12 | pattern of a tuple struct | `row_12_tuple_struct` |
//! | 13 | tuple inside a pattern | `row_13_tuple_in_a_struct` |
//! | 14 | fields of a struct inside a pattern | `row_14_fields` |
//! | 15 | arguments without any trait | `row_15_types_without_traits` |
//! | 16 | optional and fallible extractors | `row_16_extractors_that_fail` |
//! | 17 | patterns of references, slices, arrays, `ref` | `row_17_array_and_ref`, `row_17_references` |
//! | 18 | `_` and names that begin with it | `row_18_unused_but_captured`, `row_18_wildcards` |
//! | 19 | raw names | `row_19_raw_name` |
//! | 20 | sixteen extractors, as a handler of axum | `row_20_sixteen_extractors` |
//! | 21 | `&self`, `&mut self`, `self`, `mut self` | `row_21_mutable_reference`, `row_21_mutable_reference_async`, `row_21_mutable_value`, `row_21_reference`, `row_21_value`, `row_21_value_in_parts` |
//! | 22 | `self` as `Arc`, `Box` and `Pin` | `row_22_arc`, `row_22_box`, `row_22_pin`, `row_22_pin_async` |
//! | 23 | field of `self` as target | `row_23_field_of_self` |
//! | 24 | functions of an `#[async_trait]` block | `row_24_an_unpolled_future_leaves_no_event`, `row_24_arc_receiver`, `row_24_as_an_object`, `row_24_async_trait`, `row_24_default`, `row_24_early_return`, `row_24_not_send`, `row_24_question_mark`, `row_24_value_receiver` |
//! | 25 | the same with patterns and `self` | `row_25_fields_and_self`, `row_25_tuple_struct` |
//! | 26 | declaration without a body: an error | `row_26_only_the_functions_of_the_impl_are_audited`, `row_26_trait_declaration` |
//! | 27 | async functions, futures and defaults in traits | `row_27_async_default`, `row_27_async_for_a_future`, `row_27_default`, `row_27_future_by_default`, `row_27_future_in_a_trait` |
//! | 28 | `impl Future` is returned | `row_28_borrows`, `row_28_early_return`, `row_28_opaque_future`, `row_28_opaque_output`, `row_28_question_mark`, `row_28_static_and_unpin`, `row_28_the_event_is_recorded_at_completion`, `row_28_unit` |
//! | 29 | boxed future is returned, also behind another name | `row_29_associated_type`, `row_29_box_future`, `row_29_boxed_and_unpin`, `row_29_local_box_future`, `row_29_no_value_of_the_result`, `row_29_other_names_are_values`, `row_29_pinned_box`, `row_29_pinned_box_that_fails`, `row_29_value_of_the_result` |
//! | 30 | statements before the future | `row_30_a_panic_in_the_statements_is_recorded`, `row_30_return_before`, `row_30_statements_before`, `row_30_statements_run_at_the_call` |
//! | 31 | async recursion | `row_31_recursion_leaves_an_event_for_each_call` |
//! | 32 | chain of 24 under `tokio::spawn` | `row_32_a_chain_of_24_is_send` |
//! | 33 | generics, constants, higher-ranked bounds | `row_33_generics`, `row_33_higher_ranked`, `row_33_without_bounds` |
//! | 34 | `impl Trait` and `dyn Trait` arguments | `row_34_objects_and_impl` |
//! | 35 | lifetimes: named, elided, `use<..>` | `row_35_elided_lifetimes`, `row_35_named_lifetimes`, `row_35_precise_capture` |
//! | 36 | never returns | `row_36_never_is_panicked_or_abandoned` |
//! | 37 | `unsafe`, `extern`, restricted visibility | `row_37_other_abi`, `row_37_unsafe_fn`, `row_37_visibility` |
//! | 38 | `const fn`: an error, and the function stays | `row_38_const_fn` |
//! | 39 | `#[track_caller]` | `row_39_track_caller` |
//! | 40 | order of attributes, documentation | `row_40_a_deprecated_function_is_still_audited`, `row_40_many_attributes`, `row_40_method` |
//! | 41 | dead code beside it is still reported | `row_41_a_function_beside_dead_code_leaves_its_event` |
//! | 42 | `#[cfg]` on parameters | `row_42_cfg_of_mutable_parameters`, `row_42_cfg_of_parameters` |
//! | 43 | `#[cfg_attr(.., audited(..))]` | `row_43_a_false_cfg_attr_leaves_no_event`, `row_43_cfg_attr` |
//! | 44 | attribute that makes the function a type | `row_44_function_that_becomes_a_type` |
//! | 45 | attributes of test, runtime, tracing and axum in both orders, two `#[audited]` | `row_45_debug_handler`, `row_45_instrument_above`, `row_45_instrument_below`, `row_45_test_above`, `row_45_test_below`, `row_45_tokio_main_above`, `row_45_tokio_main_below`, `row_45_tokio_test_above`, `row_45_tokio_test_below`, `row_45_two_attributes_leave_two_events` |
//! | 46 | function made by `macro_rules!` | `row_46_function_from_a_macro`, `row_46_method_from_a_macro`, `row_46_mixed_names`, `row_46_mixed_names_and_a_future`, `row_46_wholly_from_a_macro` |
//! | 47 | functions in functions and in constants | `row_47_functions_in_functions_leave_an_event_each` |
//! | 48 | shadowed names | `row_48_shadowed_names`, `row_48_shadowed_names_and_a_box`, `row_48_shadowed_names_and_a_future` |
//! | 49 | no prelude | `row_49_crate_without_a_prelude`, `row_49_without_a_prelude`, `row_49_without_a_prelude_and_a_future`, `row_49_without_a_prelude_late` |
//! | 50 | imports in the body that shadow the signature | `row_50_imports_all_in_the_body`, `row_50_imports_in_the_body` |
//! | 51 | names that the expansion uses itself | `row_51_our_names`, `row_51_our_names_and_a_future`, `row_51_our_names_as_parameters` |
//! | 52 | every lint denied | `row_52_every_lint_denied` |
//! | 53 | `#![forbid(unsafe_code)]` | `row_53_forbid_unsafe_code` |
//! | 54 | facade only, renamed dependency | `row_54_facade_only`, `row_54_renamed_dependency` |
//! | 55 | editions 2018, 2021 and 2024 | `row_55_edition_2018`, `row_55_edition_2021` |
//! | 56 | panics | `row_56_a_panic_is_recorded_and_continues_unchanged` |
//! | 57 | future that is dropped, or never polled | `row_57_a_dropped_future_is_abandoned_and_an_unpolled_one_leaves_no_event` |
//! | 58 | future that is not `Send` | `row_58_futures_that_are_not_send_run_on_one_thread` |
//! | 59 | huge argument | `row_59_and_trap_04_a_future_grows_by_the_draft_only`, `row_59_huge_argument`, `row_59_huge_argument_that_is_unused` |
//! | 60 | unfinished body | `row_60_unfinished_body` |
//! | T1 | closure that can be called once only | `trap_01_body_that_only_a_closure_called_once_can_be` |
//! | T2 | scope held over an await | `trap_02_interleaved_tasks_keep_their_scopes` |
//! | T3 | depth of types in the proof of `Send` | `row_32_a_chain_of_24_is_send` |
//! | T4 | size of the future | `row_59_and_trap_04_a_future_grows_by_the_draft_only` |
//! | T5 | arguments end before the event closes | `trap_05_arguments_end_before_the_event_closes` |
//! | T6 | order and number of evaluations | `trap_06_values_are_captured_once_in_order_and_before_the_body` |
//! | T7 | labels, loops and `return` | `trap_07_break_with_a_label`, `trap_07_return_from_a_loop` |
//! | T8 | lints neither added nor hidden | `trap_08_lints_still_fire` |
//! | T9 | errors are reported at the mistake | `trap_09_errors_in_the_body` |
//! | T10 | no item beside the function | `row_21_reference`, `row_24_async_trait` |
//! | T11 | catalog that is stale in an editor: see the unit tests of the catalog | - |
//! | T12 | payload of a panic; two events for nested calls | `trap_12_an_audited_function_that_calls_another_leaves_both_events` |
//! | T13 | type of the function stays the same | `row_20_sixteen_extractors` |
//! | T14 | streams of tonic | `trap_14_streams_of_tonic` |
//! | T15 | dynamic actions are refused: see the unit tests of the arguments | - |
//! | T16 | inner attributes stay first | `trap_16_inner_attributes`, `trap_16_inner_attributes_and_a_future`, `trap_16_inner_attributes_async` |
//! | T17 | local `core` and `std` | `trap_17_local_core_and_std` |
//! | T18 | only the tail is the future: statements before it are kept | `trap_18_a_returned_future_can_be_dropped_at_any_time`, `trap_18_a_tail_that_is_no_block_is_tracked` |

#![deny(
    warnings,
    missing_docs,
    unused,
    future_incompatible,
    rust_2018_idioms,
    rust_2021_compatibility
)]
#![deny(
    let_underscore_drop,
    single_use_lifetimes,
    unit_bindings,
    unreachable_pub,
    unused_lifetimes
)]
#![deny(
    unused_qualifications,
    unused_results,
    trivial_casts,
    missing_debug_implementations
)]
#![deny(clippy::all, clippy::pedantic, clippy::nursery)]
#![allow(
    clippy::unused_async,
    clippy::missing_const_for_fn,
    clippy::needless_pass_by_value,
    clippy::unused_self,
    clippy::manual_async_fn,
    clippy::future_not_send
)]
#![allow(
    clippy::drop_non_drop,
    clippy::large_types_passed_by_value,
    clippy::large_futures,
    clippy::trivially_copy_pass_by_ref,
    clippy::option_if_let_else,
    clippy::redundant_pub_crate,
    clippy::unused_unit,
    clippy::panic,
    clippy::expect_used
)]
#![allow(dropping_copy_types, dropping_references, reason = "shapes, not style")]
#![expect(clippy::allow_attributes_without_reason)]

mod arguments;
mod async_traits;
mod attributes;
mod futures;
mod generics;
mod hygiene;
mod index;
mod life;
mod methods;
mod results;
mod support;

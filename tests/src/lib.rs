//! Tests across the crates. `promises/` proves each of these promises over real sockets:
//!
//! | file | promise |
//! | --- | --- |
//! | `catalog.rs` | a misspelt action does not compile, and one line in `audit.toml` declares it |
//! | `delivery.rs` | an accepted event is delivered once, or kept with the reason, under every server fault |
//! | `layer_order.rs` | a misplaced layer loses no event, and the log names the remedy |
//! | `rebuild.rs` | a catalog change recompiles its dependents and no other crate |
//! | `record.rs` | the imperative macros and the checked names record the same events as the attribute; a denial has its own action |
//! | `request.rs` | an audited axum handler records a complete event |
//! | `sdk.rs` | the official SDK works with the local server as with the service |
//! | `verify.rs` | a service whose catalog is not registered reports it in its health |
//! | `version.rs` | an event carries the schema version of its environment in `audit.lock`, and the server validates it against that version |
//!
//! `conformance/` tests the service's API route by route, `ends/` every way a request can end, and
//! `faults/` the faults that delivery has to survive.
//!
//! The packages below `crates/` use the framework in different settings: the facade as the only
//! dependency, renamed, other editions, no prelude, every lint denied.

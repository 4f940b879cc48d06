//! Promises that hold across the crates, each proved in `promises/` over real sockets:
//!
//! | file | promise |
//! | --- | --- |
//! | `catalog.rs` | a misspelt action does not compile, and a line in `audit.toml` is all it takes to mend it |
//! | `delivery.rs` | what was accepted is delivered once, or kept with the reason, whatever the server does |
//! | `layer_order.rs` | a layer in the wrong place costs no event, and the log says how to mend it |
//! | `rebuild.rs` | a change of the catalog compiles again what depends on it, and nothing else |
//! | `record.rs` | the imperative macros and the checked names leave the same events as the attribute; a denial has its own action |
//! | `request.rs` | an audited handler behind axum leaves the event that a customer would expect |
//! | `sdk.rs` | the official SDK takes the local server for the service |
//! | `verify.rs` | a service that starts with a catalog that nobody registered says so in its health |
//! | `version.rs` | an event names the schema version that `audit.lock` has for the environment, and the server checks it against that one |
//!
//! `conformance/` is the service's API, route by route; `ends/` every way a request can end;
//! `faults/` what delivery has to survive.
//!
//! The packages below `crates/` are users in surroundings that differ: the facade alone, another
//! name for it, another edition, no prelude, every lint denied.

//! What delivery has to survive, and the tests that it does.

mod policy;
mod support;

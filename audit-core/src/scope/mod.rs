//! The scope of a request or job, the drafts of audited functions inside it, and its settlement.

mod draft;
mod principal;
mod record;
mod request_context;
mod run;
mod scope;
mod settle;

pub use self::draft::Draft;
pub(crate) use self::draft::Unpolled;
pub use self::principal::Principal;
pub(crate) use self::request_context::RequestContext;
pub use self::scope::{InScope, Scope};

//! The audit trace of a request: an event, an exemption, or nothing.

/// What a request left behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuditTrace {
    /// An audited function ran, or an event was recorded, in the request's scope. A call that was
    /// skipped with a reason counts as well.
    Audited,
    /// Nothing, for this reason.
    Exempt(&'static str),
    /// Nothing.
    None,
}

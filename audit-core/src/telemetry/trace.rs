//! The audit trace of a request: an event, an exemption, or neither.

/// The trace that a request left in the audit log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuditTrace {
    /// An audited function ran, or an event was recorded, in the request's scope.
    ///
    /// A call that was skipped with a reason counts as well.
    Audited,
    /// No event, for the reason that the service gave.
    Exempt(&'static str),
    /// No event and no exemption.
    None,
}

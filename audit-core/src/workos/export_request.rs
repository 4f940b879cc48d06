//! The request for an export.

use std::fmt;
use std::time::{Duration, SystemTime};

use serde::{Serialize, Serializer};

/// The age up to which events can be exported: three months, counted as 90 days here ([WorkOS:
/// exporting events](https://workos.com/docs/audit-logs/exporting-events)).
pub const EXPORT_WINDOW: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// A request for an export: one organization's events of a time range, optionally filtered.
///
/// Filters of one kind widen the selection, filters of different kinds narrow it. The service does
/// not document this, but it is the usual reading.
///
/// ```
/// use audit_core::workos::ExportRequest;
/// use std::time::{Duration, SystemTime};
///
/// # fn example(now: SystemTime) {
/// let last_week = now - Duration::from_secs(7 * 24 * 60 * 60);
/// let request = ExportRequest::new("org_1", last_week, now)
///     .action("user.*")              // every registered action that begins with `user.`
///     .target_type("document");
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[must_use]
pub struct ExportRequest {
    organization_id: String,
    #[serde(serialize_with = "rfc3339")]
    range_start: SystemTime,
    #[serde(serialize_with = "rfc3339")]
    range_end: SystemTime,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) actions: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    actor_names: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    actor_ids: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    targets: Vec<String>,
}

impl ExportRequest {
    /// Returns a request for all events of an organization from `start` to `end`, in milliseconds.
    ///
    /// The service does not document whether an event at exactly `end` is included.
    pub fn new(organization: impl Into<String>, start: SystemTime, end: SystemTime) -> Self {
        Self {
            organization_id: organization.into(),
            range_start: start,
            range_end: end,
            actions: Vec::new(),
            actor_names: Vec::new(),
            actor_ids: Vec::new(),
            targets: Vec::new(),
        }
    }

    /// Includes events of this action; may be called more than once.
    ///
    /// A `*` matches any characters, including none; see
    /// [`WorkOs::expand_actions`](super::WorkOs::expand_actions).
    pub fn action(mut self, name: impl Into<String>) -> Self {
        self.actions.push(name.into());
        self
    }

    /// Includes events by an actor of exactly this name; may be called more than once.
    pub fn actor_name(mut self, name: impl Into<String>) -> Self {
        self.actor_names.push(name.into());
        self
    }

    /// Includes events by this actor; may be called more than once.
    pub fn actor_id(mut self, id: impl Into<String>) -> Self {
        self.actor_ids.push(id.into());
        self
    }

    /// Includes events on a target of this type; may be called more than once.
    ///
    /// The service has no filter by a target's id.
    pub fn target_type(mut self, kind: impl Into<String>) -> Self {
        self.targets.push(kind.into());
        self
    }

    /// Returns the length of the range; `None` if it is empty or negative.
    pub(super) fn length(&self) -> Option<Duration> {
        let length = self.range_end.duration_since(self.range_start).ok()?;
        (!length.is_zero()).then_some(length)
    }

    /// Returns what the service will probably not do as requested.
    ///
    /// The request may be sent nevertheless; [`create_export`](super::WorkOs::create_export) logs
    /// each as a warning.
    #[must_use]
    pub fn warnings(&self, now: SystemTime) -> Vec<ExportWarning> {
        let mut warnings = Vec::new();
        let age = now.duration_since(self.range_start).unwrap_or_default();
        if age > EXPORT_WINDOW {
            warnings.push(ExportWarning::ReachesPastWindow);
        }
        if self.length().is_some_and(|length| length > EXPORT_WINDOW) {
            warnings.push(ExportWarning::LongRange);
        }
        warnings
    }

    /// Splits the request into ranges of at most `longest`, the oldest first; one range if
    /// `longest` is zero.
    ///
    /// Each range begins where the previous one ends, so that no event falls between two; one at
    /// exactly that millisecond may be in both.
    ///
    /// ```
    /// # use audit_core::workos::ExportRequest;
    /// # use std::time::{Duration, SystemTime};
    /// # async fn example(workos: audit_core::WorkOs, request: ExportRequest) -> Result<(), audit_core::workos::Error> {
    /// // The actions are asked for once, and not for each part.
    /// for part in workos.expand_actions(request).await?.split(Duration::from_secs(30 * 24 * 60 * 60)) {
    ///     let export = workos.create_export(&part).await?;
    /// }
    /// # Ok(()) }
    /// ```
    pub fn split(self, longest: Duration) -> impl Iterator<Item = Self> {
        let mut rest = Some(self);
        std::iter::from_fn(move || {
            let whole = rest.take()?;
            let cut = whole.range_start.checked_add(longest);
            let Some(cut) = cut.filter(|cut| !longest.is_zero() && *cut < whole.range_end) else {
                return Some(whole);
            };
            rest = Some(Self {
                range_start: cut,
                ..whole.clone()
            });
            Some(Self {
                range_end: cut,
                ..whole
            })
        })
    }
}

/// A deviation of the service from a request for an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExportWarning {
    /// The range begins more than [`EXPORT_WINDOW`] ago; events of that time are not exported,
    /// whatever the retention.
    ReachesPastWindow,
    /// The range is longer than [`EXPORT_WINDOW`]; [`ExportRequest::split`] makes shorter ones.
    LongRange,
}

impl fmt::Display for ExportWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ReachesPastWindow => {
                "the range begins more than three months ago, and the service exports the events of the past three months only"
            }
            Self::LongRange => {
                "the range is longer than three months; split it with `ExportRequest::split`"
            }
        })
    }
}

fn rfc3339<S: Serializer>(time: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
    // Clamped to the range of the format, as an event's time is.
    let time = crate::event::from_millis(crate::event::to_millis(*time));
    serializer.collect_str(&humantime::format_rfc3339_millis(time))
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    fn request(days: std::ops::Range<u32>) -> ExportRequest {
        ExportRequest::new(
            "org_1",
            UNIX_EPOCH + DAY * days.start,
            UNIX_EPOCH + DAY * days.end,
        )
    }

    #[test]
    fn parts_cover_the_range_without_a_gap() {
        let parts: Vec<_> = request(0..70).action("a").split(DAY * 30).collect();
        let expected = [request(0..30), request(30..60), request(60..70)];
        assert_eq!(parts, expected.map(|part| part.action("a")));
        for whole in [Duration::ZERO, DAY * 70, Duration::MAX] {
            let parts: Vec<_> = request(0..70).split(whole).collect();
            assert_eq!(parts, [request(0..70)], "{whole:?}");
        }
    }

    #[test]
    fn ranges_that_the_service_does_not_export_are_warned_about() {
        let at = |day: u32, range| request(range).warnings(UNIX_EPOCH + DAY * day);
        assert_eq!(at(100, 10..100), []);
        assert_eq!(at(101, 10..20), [ExportWarning::ReachesPastWindow]);
        assert_eq!(at(0, 0..91), [ExportWarning::LongRange]);
        assert_eq!(at(200, 0..200).len(), 2);
    }
}

//! Facts about requests and events. Each fact is stored once, so their number is bounded by the
//! routes, reasons and actions of the program.

use std::collections::BTreeSet;

use http::{Method, StatusCode};

use crate::web::{AuditTrace, succeeded};

/// Placeholder for the route of a request that no router matched.
pub(super) const NO_ROUTE: &str = "(no route)";

/// Something that happened at least once.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fact {
    /// A request completed.
    Completed {
        method: String,
        route: String,
        succeeded: bool,
        result: AuditResult,
    },
    /// An event of this action was recorded.
    Recorded(String),
}

/// The audit result of a completed request.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum AuditResult {
    Event,
    /// No event, for this reason.
    Exempt(String),
    Nothing,
}

impl Fact {
    pub(super) fn completed(
        method: &Method,
        route: Option<&str>,
        trace: AuditTrace,
        status: StatusCode,
    ) -> Self {
        Self::Completed {
            method: method.as_str().to_owned(),
            route: route.unwrap_or(NO_ROUTE).to_owned(),
            succeeded: succeeded(status),
            result: match trace {
                AuditTrace::Audited => AuditResult::Event,
                AuditTrace::Exempt(reason) => AuditResult::Exempt(reason.to_owned()),
                AuditTrace::None => AuditResult::Nothing,
            },
        }
    }

    /// Formats one line with its newline: fields separated by tabs.
    pub(super) fn to_line(&self) -> String {
        let parts = match self {
            Self::Recorded(action) => vec!["recorded", action],
            Self::Completed {
                method,
                route,
                succeeded,
                result,
            } => {
                let (result, reason) = match result {
                    AuditResult::Event => ("event", ""),
                    AuditResult::Exempt(reason) => ("exempt", reason.as_str()),
                    AuditResult::Nothing => ("nothing", ""),
                };
                let status = if *succeeded { "succeeded" } else { "refused" };
                vec!["completed", method, route, status, result, reason]
            }
        };
        // A character that would end a field or the line becomes a space.
        let clean = |part: &str| part.replace(|char: char| char.is_control(), " ");
        let parts: Vec<_> = parts.into_iter().map(clean).collect();
        format!("{}\n", parts.join("\t"))
    }

    /// Parses a line without its newline; `None` if it is malformed.
    pub(super) fn of_line(line: &str) -> Option<Self> {
        let parts: Vec<_> = line.split('\t').collect();
        match parts[..] {
            ["recorded", action] => Some(Self::Recorded(action.to_owned())),
            ["completed", method, route, status, result, reason] => Some(Self::Completed {
                method: method.to_owned(),
                route: route.to_owned(),
                succeeded: match status {
                    "succeeded" => true,
                    "refused" => false,
                    _ => return None,
                },
                result: match result {
                    "event" => AuditResult::Event,
                    "exempt" => AuditResult::Exempt(reason.to_owned()),
                    "nothing" => AuditResult::Nothing,
                    _ => return None,
                },
            }),
            _ => None,
        }
    }
}

/// A set of facts.
#[derive(Clone, Debug, Default)]
pub(in crate::testing) struct Facts(BTreeSet<Fact>);

impl Facts {
    pub(in crate::testing) fn add_action(&mut self, action: &str) {
        self.add(Fact::Recorded(action.to_owned()));
    }

    pub(in crate::testing) fn add_request(
        &mut self,
        method: &Method,
        route: Option<&str>,
        trace: AuditTrace,
        status: StatusCode,
    ) {
        self.add(Fact::completed(method, route, trace, status));
    }

    /// Adds a fact. Returns `true` if it is new.
    pub(super) fn add(&mut self, fact: Fact) -> bool {
        self.0.insert(fact)
    }

    pub(super) fn contains(&self, fact: &Fact) -> bool {
        self.0.contains(fact)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Fact> {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fact_round_trips_through_its_line() {
        let traces = [
            AuditTrace::Audited,
            AuditTrace::Exempt("reads only"),
            AuditTrace::None,
        ];
        let completed = traces.map(|trace| {
            Fact::completed(&Method::POST, Some("/a/{id}"), trace, StatusCode::FORBIDDEN)
        });
        let recorded = Fact::Recorded("document.delete".to_owned());
        for fact in completed.into_iter().chain([recorded]) {
            let line = fact.to_line();
            assert_eq!(Fact::of_line(line.trim_end_matches('\n')), Some(fact));
        }
    }

    #[test]
    fn control_characters_do_not_split_a_line() {
        let trace = AuditTrace::Exempt("two\nlines\tand a tab");
        let fact = Fact::completed(&Method::POST, None, trace, StatusCode::OK);
        let line = fact.to_line();
        assert_eq!(
            line,
            "completed\tPOST\t(no route)\tsucceeded\texempt\ttwo lines and a tab\n"
        );
    }

    #[test]
    fn malformed_line_is_ignored() {
        for line in [
            "",
            "recorded",
            "completed\tPOST\t/a\tyes\tevent\t",
            "completed\tPOST\t/a\tsucceeded\tev",
        ] {
            assert_eq!(Fact::of_line(line), None, "{line}");
        }
    }
}

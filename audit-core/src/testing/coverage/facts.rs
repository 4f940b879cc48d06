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
    Answered {
        method: String,
        route: String,
        succeeded: bool,
        left: Left,
    },
    /// An event of this action was recorded.
    Recorded(String),
}

/// The audit result of a completed request.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Left {
    Event,
    /// No event, for this reason.
    Exempt(String),
    Nothing,
}

impl Fact {
    pub(super) fn answered(
        method: &Method,
        route: Option<&str>,
        trail: AuditTrace,
        status: StatusCode,
    ) -> Self {
        Self::Answered {
            method: method.as_str().to_owned(),
            route: route.unwrap_or(NO_ROUTE).to_owned(),
            succeeded: succeeded(status),
            left: match trail {
                AuditTrace::Audited => Left::Event,
                AuditTrace::Exempt(reason) => Left::Exempt(reason.to_owned()),
                AuditTrace::None => Left::Nothing,
            },
        }
    }

    /// Formats one line with its newline: fields separated by tabs.
    pub(super) fn to_line(&self) -> String {
        let parts = match self {
            Self::Recorded(action) => vec!["recorded", action],
            Self::Answered {
                method,
                route,
                succeeded,
                left,
            } => {
                let (left, reason) = match left {
                    Left::Event => ("event", ""),
                    Left::Exempt(reason) => ("exempt", reason.as_str()),
                    Left::Nothing => ("nothing", ""),
                };
                let status = if *succeeded { "succeeded" } else { "refused" };
                vec!["answered", method, route, status, left, reason]
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
            ["answered", method, route, status, left, reason] => Some(Self::Answered {
                method: method.to_owned(),
                route: route.to_owned(),
                succeeded: match status {
                    "succeeded" => true,
                    "refused" => false,
                    _ => return None,
                },
                left: match left {
                    "event" => Left::Event,
                    "exempt" => Left::Exempt(reason.to_owned()),
                    "nothing" => Left::Nothing,
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
    pub(in crate::testing) fn recorded(&mut self, action: &str) {
        self.add(Fact::Recorded(action.to_owned()));
    }

    pub(in crate::testing) fn answered(
        &mut self,
        method: &Method,
        route: Option<&str>,
        trail: AuditTrace,
        status: StatusCode,
    ) {
        self.add(Fact::answered(method, route, trail, status));
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
        let trails = [
            AuditTrace::Audited,
            AuditTrace::Exempt("reads only"),
            AuditTrace::None,
        ];
        let answered = trails.map(|trail| {
            Fact::answered(&Method::POST, Some("/a/{id}"), trail, StatusCode::FORBIDDEN)
        });
        let recorded = Fact::Recorded("document.delete".to_owned());
        for fact in answered.into_iter().chain([recorded]) {
            let line = fact.to_line();
            assert_eq!(Fact::of_line(line.trim_end_matches('\n')), Some(fact));
        }
    }

    #[test]
    fn control_characters_do_not_split_a_line() {
        let trace = AuditTrace::Exempt("two\nlines\tand a tab");
        let fact = Fact::answered(&Method::POST, None, trace, StatusCode::OK);
        let line = fact.to_line();
        assert_eq!(
            line,
            "answered\tPOST\t(no route)\tsucceeded\texempt\ttwo lines and a tab\n"
        );
    }

    #[test]
    fn malformed_line_is_ignored() {
        for line in [
            "",
            "recorded",
            "answered\tPOST\t/a\tyes\tevent\t",
            "answered\tPOST\t/a\tsucceeded\tev",
        ] {
            assert_eq!(Fact::of_line(line), None, "{line}");
        }
    }
}

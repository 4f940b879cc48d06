//! What is noted of requests and events. Each fact once, so there are as many as there are routes,
//! reasons and actions in the program.

use std::collections::BTreeSet;

use http::{Method, StatusCode};

use crate::web::{AuditTrace, succeeded};

/// What stands for the route of a request that no router matched.
pub(super) const NO_ROUTE: &str = "(no route)";

/// Something that happened at least once.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fact {
    /// A request was answered.
    Answered {
        method: String,
        route: String,
        succeeded: bool,
        left: Left,
    },
    /// An event of this action was recorded.
    Recorded(String),
}

/// What an answered request left.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Left {
    Event,
    /// Nothing, for this reason.
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

    /// One line, with the newline: parts between tabs.
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
        // What would end a part or the line is a space there.
        let clean = |part: &str| part.replace(|char: char| char.is_control(), " ");
        let parts: Vec<_> = parts.into_iter().map(clean).collect();
        format!("{}\n", parts.join("\t"))
    }

    /// The fact of a line without its newline, if it is one.
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

/// Facts, each once.
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

    /// Adds a fact; whether it is new.
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
    fn a_fact_survives_its_line() {
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
    fn nothing_that_is_written_ends_a_line_early() {
        let trail = AuditTrace::Exempt("two\nlines\tand a tab");
        let fact = Fact::answered(&Method::POST, None, trail, StatusCode::OK);
        let line = fact.to_line();
        assert_eq!(
            line,
            "answered\tPOST\t(no route)\tsucceeded\texempt\ttwo lines and a tab\n"
        );
    }

    #[test]
    fn a_line_of_another_form_is_no_fact() {
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

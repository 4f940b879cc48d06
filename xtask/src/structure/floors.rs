//! The floors of the crates, and the exceptions. All data of the check is in this file.

use std::fmt::Write as _;

/// Modules below the root of a crate that may be imported from the floors above.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Floor {
    /// They may import each other, without a circle between files.
    Together(&'static [&'static str]),
    /// They never import each other.
    Apart(&'static [&'static str]),
}

impl Floor {
    pub(super) fn rooms(self) -> &'static [&'static str] {
        match self {
            Self::Together(rooms) | Self::Apart(rooms) => rooms,
        }
    }
}

/// The floors of each package that has some, from the ground up. The root file (`lib`, `main`) is a
/// room of the highest floor.
pub(super) const FLOORS: &[(&str, &[Floor])] = &[
    (
        "audit-core",
        &[
            Floor::Together(&["event", "catalog"]),
            Floor::Together(&["sink", "telemetry"]),
            Floor::Apart(&["spool", "workos"]),
            Floor::Together(&["delivery"]),
            Floor::Together(&["recorder"]),
            Floor::Together(&["scope"]),
            Floor::Apart(&["web", "private"]),
            Floor::Together(&["macros", "testing", "fuzzing"]),
            Floor::Together(&["lib"]),
        ],
    ),
    (
        "audit-catalog",
        &[
            Floor::Together(&[
                "coalesce", "constant", "discover", "error", "nearest", "model",
            ]),
            Floor::Together(&["schema", "fingerprint", "declarations"]),
            Floor::Apart(&["parse", "check", "lock"]),
            Floor::Apart(&["read", "plan"]),
            Floor::Together(&["lib"]),
        ],
    ),
    (
        "audit-derive",
        &[
            Floor::Together(&["catalog", "errors", "function", "function_like", "parsing"]),
            Floor::Together(&["audited"]),
            Floor::Apart(&["action", "embed", "record", "unaudited"]),
            Floor::Together(&["lib"]),
        ],
    ),
    (
        "audit-tower",
        &[
            Floor::Together(&["head", "parameter", "scope"]),
            Floor::Apart(&["config", "extract", "future", "route"]),
            Floor::Together(&["service"]),
            Floor::Together(&["layer"]),
            Floor::Together(&["lib"]),
        ],
    ),
    (
        "audit-actix",
        &[
            Floor::Together(&["head", "parameter", "scope"]),
            Floor::Apart(&["config", "extract", "private", "route"]),
            Floor::Together(&["service"]),
            Floor::Together(&["middleware"]),
            Floor::Together(&["lib"]),
        ],
    ),
    (
        "audit-server",
        &[
            Floor::Together(&[
                "api_key",
                "clock",
                "connection",
                "fault",
                "host",
                "own_path",
                "timestamp",
                "viewer",
            ]),
            Floor::Together(&["config", "id", "rate_limit", "records", "signer"]),
            Floor::Apart(&["store", "subscription", "validate"]),
            Floor::Together(&["app", "error", "export", "response"]),
            Floor::Together(&["body", "feed", "seed", "validate_event"]),
            Floor::Apart(&["middleware", "routes"]),
            Floor::Together(&["router"]),
            Floor::Together(&["serve", "fuzzing"]),
            Floor::Together(&["server"]),
            Floor::Together(&["lib"]),
        ],
    ),
    (
        "audit-cli",
        &[
            Floor::Together(&["failure", "signal", "terminal"]),
            Floor::Apart(&["schema", "serve", "spool"]),
            Floor::Together(&["cmd"]),
            Floor::Together(&["main"]),
        ],
    ),
];

/// Two files that may import each other.
#[derive(Clone, Copy, Debug)]
pub(super) struct AllowedPair {
    pub(super) package: &'static str,
    /// From `src`.
    pub(super) files: [&'static str; 2],
    /// Completes "because …".
    pub(super) reason: &'static str,
}

/// The pairs that may be a circle.
pub(super) const ALLOWED_PAIRS: &[AllowedPair] = &[];

/// Returns the floors as ARCHITECTURE.md shows them, the highest first. A bar is between modules
/// that never import each other.
pub(super) fn floors_text() -> String {
    let mut text = String::from("```text\n");
    for (package, floors) in FLOORS {
        // Writing to a String does not fail.
        let _ = writeln!(text, "{package}");
        for floor in floors.iter().rev() {
            let _ = match floor {
                Floor::Together(rooms) => writeln!(text, "    {}", rooms.join(", ")),
                Floor::Apart(rooms) => writeln!(text, "    {}", rooms.join(" | ")),
            };
        }
    }
    text + "```\n"
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::process::root;

    #[test]
    fn architecture_md_shows_the_floors() {
        let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
        let begin = "<!-- floors: cargo xtask check-structure --floors -->\n";
        let (_, rest) = text.split_once(begin).unwrap();
        let (shown, _) = rest.split_once("<!-- end of floors -->").unwrap();
        assert_eq!(shown.trim(), floors_text().trim());
    }
}

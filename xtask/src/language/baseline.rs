//! The figures before the goals were set.

use super::measure::Figures;

/// The commit that [`BASELINE`] was measured at.
pub(super) const BASELINE_COMMIT: &str = "23beed9";

/// The figures of each package, as `--folder` measures a checkout of [`BASELINE_COMMIT`].
const BASELINE: &[(&str, Figures)] = &[
    row("audit-actix", [87, 13, 2465, 39, 62]),
    row("audit-catalog", [167, 35, 3288, 26, 75]),
    row("audit-cli", [154, 20, 2054, 22, 23]),
    row("audit-core", [1692, 436, 30673, 401, 623]),
    row("audit-derive", [301, 51, 6617, 66, 134]),
    row("audit-server", [528, 85, 10043, 55, 210]),
    row("audit-tower", [95, 13, 2625, 36, 62]),
    row("benches", [98, 31, 1433, 7, 13]),
    row("examples", [218, 48, 2903, 23, 46]),
    row("fuzz", [11, 1, 113, 0, 1]),
    row("tests", [264, 43, 5673, 67, 56]),
    row("tests/crates/actix", [8, 0, 63, 0, 1]),
    row("tests/crates/edition-2018", [8, 0, 50, 0, 0]),
    row("tests/crates/edition-2021", [8, 0, 50, 0, 0]),
    row("tests/crates/facade", [8, 0, 61, 0, 0]),
    row("tests/crates/kit", [15, 5, 195, 8, 3]),
    row("tests/crates/prelude", [12, 0, 71, 0, 0]),
    row("tests/crates/queue-model", [5, 1, 78, 1, 2]),
    row("tests/crates/renamed", [8, 0, 57, 1, 0]),
    row("tests/crates/strict", [9, 0, 67, 0, 0]),
    row("tests/crates/support", [2, 0, 73, 0, 2]),
    row("tests/oldest-sqlite", [2, 1, 52, 0, 2]),
    row("tests/torture", [78, 18, 1223, 31, 15]),
    row("xtask", [204, 66, 3191, 23, 55]),
];

/// A row; the counts are in the order of the fields of [`Figures`].
const fn row(
    package: &'static str,
    [summaries, interrogative, words, listed, wide]: [u32; 5],
) -> (&'static str, Figures) {
    let figures = Figures {
        summaries,
        interrogative,
        words,
        listed,
        wide,
    };
    (package, figures)
}

/// Returns the figures of a package, if it was there.
pub(super) fn baseline(package: &str) -> Option<Figures> {
    let mut rows = BASELINE.iter();
    rows.find(|(name, _)| *name == package)
        .map(|(_, figures)| *figures)
}

/// Returns the figures of all packages that there were.
pub(super) fn baseline_total() -> Figures {
    let mut total = Figures::default();
    for (_, figures) in BASELINE {
        total.add(*figures);
    }
    total
}

//! Audit coverage of routes: the facts ([`facts`]), their files, shared by the processes of a run
//! ([`run`]), and the report on a list of routes ([`report`]).

mod facts;
mod report;
mod run;

pub use report::{Coverage, CoverageReport, assert_covered, coverage};
pub use run::CoverageError;

pub(super) use facts::Facts;
pub(super) use run::FactsFile;

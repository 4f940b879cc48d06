//! Which routes leave an event: what is noted ([`facts`]), where it is kept between processes
//! ([`run`]), and what it says about a list of routes ([`report`]).

mod facts;
mod report;
mod run;

pub use report::{Coverage, CoverageReport, assert_covered, coverage};
pub use run::CoverageError;

pub(super) use facts::Facts;
pub(super) use run::Written;

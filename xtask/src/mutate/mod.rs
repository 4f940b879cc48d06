//! `cargo xtask mutate`: proves that the tests detect mistakes, by planting them one after the
//! other in a copy.

mod copy;
mod mutants;
mod prove;

pub(crate) use mutants::names;
pub(crate) use prove::run;

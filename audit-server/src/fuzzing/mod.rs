//! Entry points for the fuzz targets, below sockets and the database.
//!
//! Each takes any bytes, and panics where an invariant is broken.

mod requests;
mod values;

pub use requests::routes;
pub use values::{bodies, csv, cursor, moment};

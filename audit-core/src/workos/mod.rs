//! x
/// x
#[derive(Debug)]
pub struct WorkOs;

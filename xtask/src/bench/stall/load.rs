//! The load of the measurement.

use std::num::NonZeroU32;

use clap::Args;

#[derive(Clone, Copy, Debug, Args)]
pub(super) struct Load {
    /// The number of events that the recorder holds
    #[arg(long, default_value = "512")]
    pub(super) capacity: NonZeroU32,
    /// Requests to each of the two services, in multiples of the capacity
    #[arg(long, default_value = "10")]
    pub(super) rounds: NonZeroU32,
    /// Clients that send requests at once, each over a connection of its own
    #[arg(long, default_value = "4")]
    pub(super) clients: NonZeroU32,
}

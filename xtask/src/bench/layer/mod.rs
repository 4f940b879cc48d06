//! `cargo xtask bench layer`: the cost of the layer, the attribute and the recorder for a
//! request, beside the framework's own request logging.

mod command;
#[cfg(feature = "bench")]
mod measure;
#[cfg(feature = "bench")]
mod on_actix;
#[cfg(feature = "bench")]
mod on_axum;
#[cfg(feature = "bench")]
mod stack;

pub(crate) use command::Layer;
pub(super) use command::run;

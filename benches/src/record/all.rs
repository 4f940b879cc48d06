//! The list of everything that is compared.

use super::contender::{Consumer, Contender};
use super::{channel, json, official, ours, telemetry};
use crate::Result;
use crate::event_data::EventData;

/// Returns all contenders; the first is ours.
///
/// # Errors
///
/// One of them cannot be set up.
pub fn contenders(consumer: Consumer) -> Result<Vec<Box<dyn Contender>>> {
    let data = EventData::default();
    Ok(vec![
        Box::new(ours::Record::new(data.clone())?),
        Box::new(channel::PreBuilt::new(&data, consumer)?),
        Box::new(telemetry::Telemetry::new(data.clone(), consumer)?),
        Box::new(json::TracingJson::new(data.clone(), consumer)),
        Box::new(official::Official::new(data, consumer)?),
    ])
}

//! The official SDK's event: built, serialised and sent through a channel.
//!
//! The SDK has no queue of its own.

use std::collections::HashMap;
use std::time::SystemTime;

use workos::models::{
    AuditLogEvent, AuditLogEventActor, AuditLogEventActorMetadataOneOf as Value,
    AuditLogEventContext, AuditLogEventIngestion, AuditLogEventTarget,
};

use super::channel::Channel;
use super::contender::{Consumer, Contender};
use crate::Result;
use crate::counting_sink::ConsumedCount;
use crate::event_data::{ACTION, EventData, PAGES, TARGET_TYPE};

pub(super) struct Official {
    data: EventData,
    channel: Channel<Vec<u8>>,
}

impl Official {
    pub(super) fn new(data: EventData, consumer: Consumer) -> Result<Self> {
        let channel = Channel::new(consumer)?;
        Ok(Self { data, channel })
    }
}

/// Builds the event as an application has to for the SDK.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "the peer needs the time from its caller, which is part of what is measured"
)]
pub fn official_event(data: &EventData, id: u64) -> AuditLogEventIngestion {
    let now = humantime::format_rfc3339_millis(SystemTime::now());
    AuditLogEventIngestion {
        organization_id: data.organization.clone(),
        event: AuditLogEvent {
            action: ACTION.to_owned(),
            occurred_at: now.to_string(),
            actor: AuditLogEventActor {
                id: data.actor_id.clone(),
                type_: "user".to_owned(),
                name: Some(data.actor_name.clone()),
                metadata: None,
            },
            targets: vec![AuditLogEventTarget {
                id: id.to_string(),
                type_: TARGET_TYPE.to_owned(),
                name: Some(data.target_name.clone()),
                metadata: None,
            }],
            context: AuditLogEventContext {
                location: data.location.clone(),
                user_agent: Some(data.user_agent.clone()),
            },
            metadata: Some(HashMap::from([
                ("reason".to_owned(), Value::String(data.reason.clone())),
                ("pages".to_owned(), Value::F64(PAGES as f64)),
                ("outcome".to_owned(), Value::String("succeeded".to_owned())),
            ])),
            version: None,
        },
    }
}

impl Contender for Official {
    fn label(&self) -> &'static str {
        "official SDK's type, serialised, try_send"
    }

    fn begin(&mut self, _: u64) -> Result<()> {
        Ok(())
    }

    fn emit(&mut self, events: u64) {
        for id in 0..events {
            if let Ok(body) = serde_json::to_vec(&official_event(&self.data, id)) {
                self.channel.send(body);
            }
        }
    }

    fn finish(&mut self) -> Result<()> {
        self.channel.finish(self.label())
    }

    fn consumed(&self) -> &ConsumedCount {
        &self.channel.consumed
    }
}

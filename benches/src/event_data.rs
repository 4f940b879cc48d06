//! The data of one event, the same for all contenders; known at run time, as in a service.

use std::hint::black_box;

use audit_tower::{Actor, Context, Event, Target};

use crate::Result;

pub const ACTION: &str = "document.delete";
pub const TARGET_TYPE: &str = "document";
pub const PAGES: i64 = 12;

/// The values of one event, about 650 bytes as JSON.
#[derive(Clone, Debug)]
pub struct EventData {
    pub organization: String,
    pub actor_id: String,
    pub actor_name: String,
    pub target_name: String,
    pub location: String,
    pub user_agent: String,
    pub reason: String,
}

impl Default for EventData {
    fn default() -> Self {
        // Otherwise the compiler would treat them as constants.
        let text = |text: &str| black_box(text.to_owned());
        Self {
            organization: text("org_01KVQ0M5S7RZJ3T4N8XD2C6B9F"),
            actor_id: text("user_01KVQ0NEB1H7W5YF3GQ9A2P8KM"),
            actor_name: text("Ada Lovelace"),
            target_name: text("Minutes of the board, third quarter of 2026"),
            location: text("203.0.113.7"),
            user_agent: text(
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
            ),
            reason: text("retention period has ended"),
        }
    }
}

impl EventData {
    /// Builds our event, with its id and time.
    ///
    /// # Errors
    ///
    /// The builder refuses the values.
    #[inline]
    pub fn event(&self, id: u64) -> Result<Event> {
        let event = Event::builder(ACTION)
            .organization(self.organization.as_str())
            .actor(Actor::user(&self.actor_id).name(&self.actor_name))
            .target(Target::new(TARGET_TYPE, id).name(&self.target_name))
            .metadata("reason", &self.reason)
            .metadata("pages", PAGES)
            .context(
                Context::new()
                    .location(&self.location)
                    .user_agent(&self.user_agent),
            );
        Ok(event.build()?)
    }
}

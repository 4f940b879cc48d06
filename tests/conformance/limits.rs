//! The limits of an event, at and beyond each: our builder and the server accept and refuse the
//! same events.
//!
//! There are two exceptions, which the builder refuses and the server accepts: an empty key, which
//! the documented pattern allows without a use, and the keys that the framework itself sets on the
//! event. The builder reserves ten of the event's 50 keys for these, so an application has 40.

use std::sync::LazyLock;

use audit_tower::{Actor, Event, Target, WorkOs};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};
use tokio::runtime::{Builder, Runtime};

use crate::service::{Service, event};

/// Enough cases for every limit, in a few seconds.
const CASES: u32 = 64;
/// The event keys of an application: 50 minus those reserved for the framework.
const OWN_KEYS: usize = 40;

/// The server shared by all cases; each case is one event.
struct Shared {
    service: Service,
    /// Shared, because every new client reads the platform's certificates.
    client: WorkOs,
    runtime: Runtime,
}

static SHARED: LazyLock<Shared> = LazyLock::new(|| {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let service = Service::start();
    runtime.block_on(service.register("team.updated"));
    Shared {
        client: service.client(),
        service,
        runtime,
    }
});

impl Shared {
    /// Sends an event with our client. Returns `true` if the server accepts it.
    fn accepts(&self, event: &Event) -> bool {
        match self.runtime.block_on(self.client.create_event(event)) {
            Ok(()) => true,
            Err(error) => {
                assert_eq!(error.status().unwrap(), 400, "{error}");
                false
            }
        }
    }

    /// Sends a body. Returns `true` if the server accepts it.
    fn accepts_raw(&self, body: &Value) -> bool {
        let call = self.service.post("/audit_logs/events", body);
        let response = self.runtime.block_on(self.service.send(call));
        assert!([200, 400].contains(&response.status), "{response:?}");
        response.status == 200
    }
}

/// The position of metadata in an event.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Position {
    Event,
    Actor,
    Target,
}

/// Builds an event with our builder, if it accepts the metadata, and as a body without validation.
fn both(position: Position, metadata: &[(String, String)]) -> (Option<Event>, Value) {
    let mut actor = Actor::user("user_1");
    let mut target = Target::new("team", "team_1");
    let mut builder = Event::builder("team.updated").organization("org_1");
    for (key, value) in metadata {
        match position {
            Position::Event => builder = builder.metadata(key, value),
            Position::Actor => actor = actor.metadata(key, value),
            Position::Target => target = target.metadata(key, value),
        }
    }
    let metadata: Map<_, _> = metadata
        .iter()
        .map(|(key, value)| (key.clone(), json!(value)))
        .collect();
    let mut raw = event();
    let raw_position = match position {
        Position::Event => &mut raw["event"],
        Position::Actor => &mut raw["event"]["actor"],
        Position::Target => &mut raw["event"]["targets"][0],
    };
    raw_position["metadata"] = metadata.into();
    (builder.actor(actor).target(target).build().ok(), raw)
}

fn position() -> impl Strategy<Value = Position> {
    select(vec![Position::Event, Position::Actor, Position::Target])
}

/// Keys around the greatest length, of allowed characters and sometimes another one.
fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z0-9_-]{1,3}",
        "[a-zA-Z0-9_-]{39,42}",
        "[a-zA-Z0-9_-]{1,20}[ .:/äß€\u{1f600}\"\\\\][a-zA-Z0-9_-]{0,20}",
    ]
}

fn numbered(count: usize) -> Vec<(String, String)> {
    (0..count)
        .map(|number| (format!("k{number}"), "v".to_owned()))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn client_and_server_accept_the_same_keys(position in position(), key in key()) {
        let (built, raw) = both(position, &[(key.clone(), "v".to_owned())]);
        prop_assert_eq!(built.is_some(), SHARED.accepts_raw(&raw), "{:?}", key);
        if let Some(event) = built {
            prop_assert!(SHARED.accepts(&event));
        }
    }

    /// Both count a value in code points. The builder truncates a longer one, so the server accepts
    /// every built event.
    #[test]
    fn values_are_truncated_at_the_servers_limit(
        position in position(),
        character in select(vec!['x', 'ä', '€', '\u{1f600}', '"', '\u{301}']),
        length in prop_oneof![490_usize..=510, 0_usize..=3],
    ) {
        let value: String = std::iter::repeat_n(character, length).collect();
        let (built, raw) = both(position, &[("key".to_owned(), value)]);
        let event = built.unwrap();
        prop_assert_eq!(event.truncated().count() == 0, SHARED.accepts_raw(&raw));
        prop_assert!(SHARED.accepts(&event));
    }

    #[test]
    fn client_and_server_accept_the_same_number_of_keys(position in position(), count in 36_usize..=53) {
        let (built, raw) = both(position, &numbered(count));
        prop_assert_eq!(SHARED.accepts_raw(&raw), count <= 50);
        let most = if position == Position::Event { OWN_KEYS } else { 50 };
        prop_assert_eq!(built.is_some(), count <= most);
        if let Some(event) = built {
            prop_assert!(SHARED.accepts(&event), "{} keys", count);
        }
    }

    #[test]
    fn client_and_server_accept_the_same_number_of_targets(count in 1_usize..=24) {
        let targets = (0..count).map(|id| Target::new("team", id as u64));
        let builder = Event::builder("team.updated").organization("org_1").actor(Actor::user("u"));
        let built = targets.fold(builder, |builder, target| builder.target(target)).build();
        let mut raw = event();
        raw["event"]["targets"] = (0..count).map(|id| json!({ "id": id.to_string(), "type": "team" })).collect();
        prop_assert_eq!(built.is_ok(), SHARED.accepts_raw(&raw), "{} targets", count);
        if let Ok(event) = built {
            prop_assert!(SHARED.accepts(&event));
        }
    }
}

/// The exact limits, which random cases may miss.
#[test]
fn client_and_server_agree_at_each_limit() {
    for position in [Position::Event, Position::Actor, Position::Target] {
        for (length, fits) in [(40, true), (41, false)] {
            let (built, raw) = both(position, &[("k".repeat(length), "v".to_owned())]);
            assert_eq!((built.is_some(), SHARED.accepts_raw(&raw)), (fits, fits));
        }
        for (length, fits) in [(500, true), (501, false)] {
            let (built, raw) = both(position, &[("k".to_owned(), "€".repeat(length))]);
            let whole = built.unwrap().truncated().count() == 0;
            assert_eq!((whole, SHARED.accepts_raw(&raw)), (fits, fits));
        }
    }
    // The greatest number of keys, with every field the framework adds, and a truncated value.
    let mut metadata = numbered(OWN_KEYS);
    metadata[0].1 = "x".repeat(501);
    let (built, _) = both(Position::Event, &metadata);
    assert!(SHARED.accepts(&built.unwrap()));
    assert!(both(Position::Event, &numbered(OWN_KEYS + 1)).0.is_none());
    assert!(both(Position::Actor, &numbered(51)).0.is_none());
    // The exception for the empty key, see the top of this file.
    let (built, raw) = both(Position::Event, &[(String::new(), "v".to_owned())]);
    assert!(built.is_none() && SHARED.accepts_raw(&raw));
}

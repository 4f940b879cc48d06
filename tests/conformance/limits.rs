//! The limits of an event, at and beyond each: what our builder takes, the server takes, and what
//! our builder refuses, the server refuses when it is sent all the same.
//!
//! Two things the builder refuses and the server takes: an empty key, which the documented pattern
//! allows and nobody can mean, and the keys that the framework sets on the event itself. For these
//! ten it also leaves room among the 50 of the event, so that an application has 40 there.

use std::sync::LazyLock;

use audit_tower::{Actor, Event, Target, WorkOs};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};
use tokio::runtime::{Builder, Runtime};

use crate::service::{Service, event};

/// Enough for every kind of case at its limit, and few enough for seconds.
const CASES: u32 = 64;
/// The keys of an event that are an application's: 50 less those that the framework may set.
const OWN_KEYS: usize = 40;

/// One server for all cases of a test program, since a case is one event.
struct Shared {
    service: Service,
    /// One as well, since a client reads the platform's certificates when it is made.
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
    /// Whether the server takes what our client makes of an event.
    fn takes(&self, event: &Event) -> bool {
        match self.runtime.block_on(self.client.create_event(event)) {
            Ok(()) => true,
            Err(error) => {
                assert_eq!(error.status().unwrap(), 400, "{error}");
                false
            }
        }
    }

    /// Whether the server takes this body.
    fn takes_raw(&self, body: &Value) -> bool {
        let call = self.service.post("/audit_logs/events", body);
        let answer = self.runtime.block_on(self.service.send(call));
        assert!([200, 400].contains(&answer.status), "{answer:?}");
        answer.status == 200
    }
}

/// Where metadata may stand.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Place {
    Event,
    Actor,
    Target,
}

/// The same event by our builder, if it takes it, and as it would be without a check.
fn both(place: Place, metadata: &[(String, String)]) -> (Option<Event>, Value) {
    let mut actor = Actor::user("user_1");
    let mut target = Target::new("team", "team_1");
    let mut builder = Event::builder("team.updated").organization("org_1");
    for (key, value) in metadata {
        match place {
            Place::Event => builder = builder.metadata(key, value),
            Place::Actor => actor = actor.metadata(key, value),
            Place::Target => target = target.metadata(key, value),
        }
    }
    let metadata: Map<_, _> = metadata
        .iter()
        .map(|(key, value)| (key.clone(), json!(value)))
        .collect();
    let mut raw = event();
    let raw_place = match place {
        Place::Event => &mut raw["event"],
        Place::Actor => &mut raw["event"]["actor"],
        Place::Target => &mut raw["event"]["targets"][0],
    };
    raw_place["metadata"] = metadata.into();
    (builder.actor(actor).target(target).build().ok(), raw)
}

fn place() -> impl Strategy<Value = Place> {
    select(vec![Place::Event, Place::Actor, Place::Target])
}

/// Keys of about the longest length, of allowed characters and, now and then, of another.
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
    fn a_key_is_valid_for_both_or_for_neither(place in place(), key in key()) {
        let (built, raw) = both(place, &[(key.clone(), "v".to_owned())]);
        prop_assert_eq!(built.is_some(), SHARED.takes_raw(&raw), "{:?}", key);
        if let Some(event) = built {
            prop_assert!(SHARED.takes(&event));
        }
    }

    /// A value is counted in code points by both. One that is too long is cut by the builder, so
    /// what it sends is always taken.
    #[test]
    fn a_value_is_cut_exactly_where_the_server_would_refuse_it(
        place in place(),
        character in select(vec!['x', 'ä', '€', '\u{1f600}', '"', '\u{301}']),
        length in prop_oneof![490_usize..=510, 0_usize..=3],
    ) {
        let value: String = std::iter::repeat_n(character, length).collect();
        let (built, raw) = both(place, &[("key".to_owned(), value)]);
        let event = built.unwrap();
        prop_assert_eq!(event.truncated().count() == 0, SHARED.takes_raw(&raw));
        prop_assert!(SHARED.takes(&event));
    }

    #[test]
    fn as_many_keys_are_built_as_the_server_takes(place in place(), count in 36_usize..=53) {
        let (built, raw) = both(place, &numbered(count));
        prop_assert_eq!(SHARED.takes_raw(&raw), count <= 50);
        let most = if place == Place::Event { OWN_KEYS } else { 50 };
        prop_assert_eq!(built.is_some(), count <= most);
        if let Some(event) = built {
            prop_assert!(SHARED.takes(&event), "{} keys", count);
        }
    }

    #[test]
    fn as_many_targets_are_built_as_the_server_takes(count in 1_usize..=24) {
        let targets = (0..count).map(|id| Target::new("team", id as u64));
        let builder = Event::builder("team.updated").organization("org_1").actor(Actor::user("u"));
        let built = targets.fold(builder, |builder, target| builder.target(target)).build();
        let mut raw = event();
        raw["event"]["targets"] = (0..count).map(|id| json!({ "id": id.to_string(), "type": "team" })).collect();
        prop_assert_eq!(built.is_ok(), SHARED.takes_raw(&raw), "{} targets", count);
        if let Ok(event) = built {
            prop_assert!(SHARED.takes(&event));
        }
    }
}

/// The limits themselves, which chance may pass over.
#[test]
fn each_limit_is_the_last_that_both_take() {
    for place in [Place::Event, Place::Actor, Place::Target] {
        for (length, fits) in [(40, true), (41, false)] {
            let (built, raw) = both(place, &[("k".repeat(length), "v".to_owned())]);
            assert_eq!((built.is_some(), SHARED.takes_raw(&raw)), (fits, fits));
        }
        for (length, fits) in [(500, true), (501, false)] {
            let (built, raw) = both(place, &[("k".to_owned(), "€".repeat(length))]);
            let whole = built.unwrap().truncated().count() == 0;
            assert_eq!((whole, SHARED.takes_raw(&raw)), (fits, fits));
        }
    }
    // Every fact that the framework adds to an application's most, and a value that is cut.
    let mut metadata = numbered(OWN_KEYS);
    metadata[0].1 = "x".repeat(501);
    let (built, _) = both(Place::Event, &metadata);
    assert!(SHARED.takes(&built.unwrap()));
    assert!(both(Place::Event, &numbered(OWN_KEYS + 1)).0.is_none());
    assert!(both(Place::Actor, &numbered(51)).0.is_none());
    // What the front page of this file says about the empty key.
    let (built, raw) = both(Place::Event, &[(String::new(), "v".to_owned())]);
    assert!(built.is_none() && SHARED.takes_raw(&raw));
}

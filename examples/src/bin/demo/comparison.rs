//! The comparison of the expected events with the stored ones.

use audit_server::StoredEvent;

use crate::expected::Expected;
use crate::print::print_table;

/// Prints both sides as one table. Returns `true` if exactly the expected events are stored.
pub(crate) fn compare(expected: &[Expected], stored: &[StoredEvent]) -> bool {
    let mut stored: Vec<_> = stored.iter().map(Expected::of_stored).collect();
    let mut rows = Vec::new();
    for event in expected {
        match stored.iter().position(|other| other == event) {
            Some(found) => rows.push(("ok", stored.remove(found))),
            None => rows.push(("missing", event.clone())),
        }
    }
    rows.extend(stored.into_iter().map(|event| ("unexpected", event)));
    let exact = rows.iter().all(|(mark, _)| *mark == "ok");
    print_table(&rows);
    exact
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expected::Outcome;

    #[test]
    fn missing_event_is_a_difference() {
        let event = Expected::new("a", "u1", "org_1", Outcome::Succeeded, &[("user", "u1")]);
        assert!(compare(&[], &[]));
        assert!(!compare(&[event], &[]));
    }
}

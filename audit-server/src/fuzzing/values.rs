//! Entry points for single values: bodies, cursors, CSV rows and timestamps.

use serde_json::Value;

use crate::export::check_row;
use crate::routes::{check_cursor, check_fault};
use crate::timestamp::{Timestamp, parse_utc_date_time};
use crate::validate::{
    CompiledSchema, check_limits, read_definition, read_event, read_export, read_portal,
    read_retention,
};

/// Checks the JSON body of each route that has one. If the input has two values, the second is an
/// event that is validated against the first as its schema.
pub fn bodies(bytes: &[u8]) {
    let mut values = serde_json::Deserializer::from_slice(bytes).into_iter::<Value>();
    let Some(Ok(body)) = values.next() else {
        return;
    };
    event(&body);
    if let Ok(definition) = read_definition(&body) {
        let schema = CompiledSchema::new(&definition);
        assert!(schema.is_ok(), "an accepted definition cannot be compiled");
        if let (Ok(schema), Some(Ok(event))) = (schema, values.next())
            && let Ok(form) = read_event(&event)
        {
            for violation in schema.check(&form) {
                assert!(event["event"].pointer(&violation.instance_path).is_some());
            }
        }
    }
    if let Err(errors) = read_export(&body) {
        assert!(!errors.is_empty(), "rejected without a reason");
    }
    if let Ok(days) = read_retention(&body) {
        assert!((30..=3_650).contains(&days));
    }
    if let Ok(form) = read_portal(&body) {
        assert!(!form.organization.is_empty());
    }
    check_fault(body);
}

fn event(body: &Value) {
    match read_event(body) {
        Ok(form) => {
            let occurred_at = body["event"]["occurred_at"].as_str();
            assert!(occurred_at.and_then(parse_utc_date_time).is_some());
            for violation in check_limits(&form) {
                let value = body["event"].pointer(&violation.instance_path);
                assert!(value.is_some(), "the path does not exist: {violation:?}");
            }
        }
        Err(errors) => assert!(!errors.is_empty(), "rejected without a reason"),
    }
}

/// Checks that a parsed cursor is written back unchanged.
pub fn cursor(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        check_cursor(text);
    }
}

/// Checks that a CSV row is read back as one row with all columns, and that no cell is a formula.
pub fn csv(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        check_row(text);
    }
}

/// Checks that a parsed timestamp is written back unchanged, up to its fraction.
pub fn moment(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Some(millis) = parse_utc_date_time(text).filter(|millis| *millis >= 0) {
        let written = Timestamp::from_millis(millis).to_string();
        assert_eq!(parse_utc_date_time(&written), Some(millis), "{text}");
        // A leap second equals the second after it.
        if &text[17..19] != "60" {
            assert_eq!(written[..19], text[..19]);
        }
    }
}

#[cfg(test)]
mod tests {
    /// Covers plain input; the rest is left to the fuzzer.
    #[test]
    fn plain_values_keep_the_invariants() {
        let event = r#"{"organization_id":"o","event":{"action":"a","occurred_at":"2026-02-02T16:35:39.317Z","actor":{"id":"=1","type":"u"},"targets":[],"context":{"location":"x"}}}"#;
        let schema = r#"{"targets":[{"type":"team"}]}"#;
        super::bodies(event.as_bytes());
        super::bodies(format!("{schema}{event}").as_bytes());
        super::bodies(br#"{"status":429,"retry_after":1}"#);
        super::cursor(b"ala_00000000000000000000000042");
        super::csv(event.as_bytes());
        super::csv(br#"{"action":"=1","targets":[{"type":"\r\n"}]}"#);
        super::moment(b"2016-12-31T23:59:60Z");
        super::moment(b"2026-02-02T16:35:39.317Z");
    }
}

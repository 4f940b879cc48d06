//! The body of a request for an export.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::records::ExportFilters;
use crate::timestamp::parse_utc_date_time;

/// A well-formed request for an export.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ExportForm {
    pub(crate) organization_id: String,
    /// In milliseconds since 1970.
    pub(crate) range_start: i64,
    pub(crate) range_end: i64,
    pub(crate) filters: ExportFilters,
}

/// Parses a body.
///
/// As for events, a date-time is accepted only in the `Z` form, `null` is rejected, and
/// undocumented fields are ignored.
///
/// # Errors
/// One sentence for each mistake.
pub(crate) fn read_export(body: &Value) -> Result<ExportForm, Vec<String>> {
    let empty = Map::new();
    let fields = body.as_object().unwrap_or(&empty);
    let mut errors = Vec::new();
    let organization_id = match fields.get("organization_id") {
        Some(Value::String(id)) if !id.is_empty() => Some(id.clone()),
        _ => {
            errors.push("organization_id must be a string that is not empty".to_owned());
            None
        }
    };
    let range_start = time(fields, "range_start", &mut errors);
    let range_end = time(fields, "range_end", &mut errors);
    let filters = ExportFilters {
        actions: strings(fields, "actions", &mut errors),
        // `actors` is the old name of the same filter.
        actor_names: strings(fields, "actor_names", &mut errors)
            .into_iter()
            .chain(strings(fields, "actors", &mut errors))
            .collect(),
        actor_ids: strings(fields, "actor_ids", &mut errors),
        targets: strings(fields, "targets", &mut errors),
    };
    match (organization_id, range_start, range_end) {
        (Some(organization_id), Some(range_start), Some(range_end)) if errors.is_empty() => {
            Ok(ExportForm {
                organization_id,
                range_start,
                range_end,
                filters,
            })
        }
        _ => Err(errors),
    }
}

fn time(fields: &Map<String, Value>, key: &str, errors: &mut Vec<String>) -> Option<i64> {
    let time = fields
        .get(key)
        .and_then(Value::as_str)
        .and_then(parse_utc_date_time);
    if time.is_none() {
        errors.push(format!(
            "{key} must be a date-time in UTC with Z, such as 2026-02-02T16:35:39.317Z"
        ));
    }
    time
}

fn strings(fields: &Map<String, Value>, key: &str, errors: &mut Vec<String>) -> BTreeSet<String> {
    let strings = match fields.get(key) {
        None => Some(BTreeSet::new()),
        Some(Value::Array(items)) => items
            .iter()
            .map(|item| item.as_str().map(ToOwned::to_owned))
            .collect(),
        Some(_) => None,
    };
    strings.unwrap_or_else(|| {
        errors.push(format!("{key} must be an array of strings"));
        BTreeSet::new()
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn body() -> Value {
        json!({ "organization_id": "org_1", "range_start": "2026-01-01T00:00:00Z", "range_end": "2026-02-01T00:00:00.000Z" })
    }

    #[test]
    fn actors_is_an_alias_of_actor_names() {
        let mut body = body();
        body["actors"] = json!(["Jo"]);
        body["actor_names"] = json!(["Al"]);
        let form = read_export(&body).unwrap();
        assert_eq!(
            form.filters.actor_names,
            ["Al".to_owned(), "Jo".to_owned()].into()
        );
        assert_eq!(form.range_end - form.range_start, 31 * 24 * 60 * 60 * 1_000);
    }

    #[test]
    fn all_mistakes_are_listed_at_once() {
        for body in [json!({}), json!([]), json!(null)] {
            let errors = read_export(&body).unwrap_err();
            assert_eq!(errors.len(), 3, "{errors:?}");
        }
        for (key, value) in [
            ("organization_id", json!("")),
            ("range_start", json!("2026-01-01")),
            ("range_start", json!("2026-01-01T00:00:00+00:00")),
            ("range_end", json!(1)),
            ("actions", json!("a")),
            ("actions", json!(null)),
            ("targets", json!([1])),
        ] {
            let mut body = body();
            body[key] = value;
            let errors = read_export(&body).unwrap_err();
            assert!(
                errors.len() == 1 && errors[0].starts_with(key),
                "{errors:?}"
            );
        }
    }
}

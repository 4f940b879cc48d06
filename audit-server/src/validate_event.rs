//! Validation of one request to create an event.

use rusqlite::Transaction;
use serde_json::Value;

use crate::app::App;
use crate::response::ApiResponse;
use crate::store::{SchemaRow, action_exists, action_names, find_schema, has_organization};
use crate::validate::{CompiledSchema, EventForm, Violation, check_limits, read_event};

/// The version that an event without `version` is checked against.
///
/// Users report that it is not the newest: events without a version keep failing after a schema is
/// registered again. Version 1 fits the reports; the reference is silent.
const DEFAULT_VERSION: i64 = 1;

/// The response to a request, and the reasons of a rejection.
#[derive(Debug)]
pub(crate) enum Validation {
    Accepted(ApiResponse),
    Rejected(ApiResponse, Vec<String>),
}

/// Validates a body: its form (422), then its organization (404), then the limits and the schema
/// together (400).
pub(crate) fn validate_event(
    app: &App,
    tx: &Transaction<'_>,
    body: &Value,
) -> rusqlite::Result<Validation> {
    let form = match read_event(body) {
        Ok(form) => form,
        Err(errors) => {
            let response = ApiResponse::validation_failed(&errors);
            return Ok(Validation::Rejected(
                response,
                errors.into_iter().map(|error| error.reason).collect(),
            ));
        }
    };
    if !has_organization(tx, form.organization_id)? {
        let reason = format!("the organization `{}` does not exist", form.organization_id);
        return Ok(Validation::Rejected(
            ApiResponse::organization_not_found(form.organization_id),
            vec![reason],
        ));
    }
    let mut violations = Vec::new();
    let schema = resolve_schema(tx, &form, &mut violations)?;
    violations.extend(check_limits(&form));
    if let Some(row) = schema {
        // The row was checked before it was stored, so an error here means that another program
        // changed the file.
        let schema = app
            .compiled_schema(row.id, || compile(&row))
            .map_err(|error| {
                rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, error)
            })?;
        violations.extend(schema.check(&form));
    }
    if violations.is_empty() {
        return Ok(Validation::Accepted(ApiResponse::ok(
            &serde_json::json!({ "success": true }),
        )));
    }
    let response = ApiResponse::invalid_event(&violations);
    Ok(Validation::Rejected(
        response,
        violations
            .into_iter()
            .map(|violation| violation.reason)
            .collect(),
    ))
}

/// Returns the schema the event has to match, or adds a violation if there is none.
fn resolve_schema(
    tx: &Transaction<'_>,
    form: &EventForm<'_>,
    violations: &mut Vec<Violation>,
) -> rusqlite::Result<Option<SchemaRow>> {
    let version = form.version.unwrap_or(Some(DEFAULT_VERSION));
    if let Some(version) = version
        && let Some(row) = find_schema(tx, form.action, version)?
    {
        return Ok(Some(row));
    }
    violations.push(if action_exists(tx, form.action)? {
        let version = version.map_or_else(|| "given".to_owned(), |version| version.to_string());
        Violation::new(
            "/version",
            format_args!("the action `{}` has no version {version}", form.action),
        )
    } else {
        let hint = nearest(form.action, &action_names(tx)?)
            .map(|name| format!("; the nearest one is `{name}`"))
            .unwrap_or_default();
        Violation::new(
            "/action",
            format_args!("the action `{}` is not registered{hint}", form.action),
        )
    });
    Ok(None)
}

fn compile(row: &SchemaRow) -> Result<CompiledSchema, Box<dyn std::error::Error + Send + Sync>> {
    Ok(CompiledSchema::new(&serde_json::from_str(
        &row.definition,
    )?)?)
}

/// Returns the most similar registered name, if it is similar enough to be the intended one.
fn nearest<'a>(action: &str, names: &'a [String]) -> Option<&'a str> {
    // The comparison costs the product of the lengths, so that an absurdly long name is not
    // compared.
    if action.len() > 200 {
        return None;
    }
    let similarity = |name: &str| strsim::normalized_damerau_levenshtein(action, name);
    let best = names
        .iter()
        .max_by(|a, b| similarity(a).total_cmp(&similarity(b)))?;
    (similarity(best) >= 0.6).then_some(best.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn misspelled_action_is_recognised_and_an_unrelated_one_is_not() {
        let names = ["team.updated".to_owned(), "user.signed_in".to_owned()];
        assert_eq!(nearest("team.udpated", &names), Some("team.updated"));
        assert_eq!(nearest("invoice.paid", &names), None);
        assert_eq!(nearest("team.updated", &[]), None);
    }
}

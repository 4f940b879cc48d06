//! Rejects mistakes in `error`, `event`, `outcome` and `catalog`.

use audit_core::{Outcome, audited};

#[audited(action = "document.delete", target = "id", error = debug)]
fn another_word(id: u64) -> Result<(), String> {
    Err(id.to_string())
}

struct Opaque;

#[audited(action = "document.delete", target = "id", error = display)]
fn error_without_display(id: u64) -> Result<u64, Opaque> {
    Ok(id)
}

#[audited(action = "document.delete", target = "id", error = display)]
fn no_result(id: u64) -> u64 {
    id
}

#[audited(action = "document.delete", target = "id", event = "ev")]
fn event_is_no_name(id: u64) {}

fn how(returned: &u64) -> Outcome {
    if *returned == 0 { Outcome::Failed } else { Outcome::Succeeded }
}

#[audited(action = "document.delete", target = "id", outcome = how)]
fn outcome_of_another_type(id: u64) -> String {
    id.to_string()
}

#[audited(action = "document.delete", target = "id", outcome = |_| Outcome::Failed)]
fn outcome_is_no_path(id: u64) {}

#[audited(action = "document.delete", target = "id", catalog = "nowhere/audit.toml")]
fn no_such_catalog(id: u64) {}

#[audited(action = "document.delete", target = "id", on = [succeded, failed, failed])]
fn wrong_outcomes(id: u64) {}

#[audited(action = "document.delete", target = "id", on = succeeded)]
fn outcomes_without_brackets(id: u64) {}

#[audited(action = "document.delete", target = "id", on = [])]
fn no_outcome(id: u64) {}

fn main() {}

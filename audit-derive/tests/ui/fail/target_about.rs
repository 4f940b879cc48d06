//! Rejects mistakes in the name and metadata of a target.

use audit_core::audited;

#[audited(action = "document.share", target(document = id, nmae = "x"), metadata(role = "r"))]
fn unknown_word(id: u64) {}

#[audited(action = "document.share", target(document = id, metadata(size = 1, pagse = 2)), metadata(role = "r"))]
fn unknown_key(id: u64) {}

#[audited(action = "document.share", target(document in ids, name = "x"), metadata(role = "r"))]
fn name_of_many(ids: Vec<u64>) {}

#[audited(action = "document.share", target(document = id, name = ok.name), metadata(role = "r"))]
fn early_id_and_late_name(id: u64) -> Result<u64, ()> {
    Ok(id)
}

#[audited(action = "document.share", target(document in id), metadata(role = "r"))]
fn not_a_collection(id: u64) {}

fn main() {}

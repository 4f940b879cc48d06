#![deny(unused)]

use audit_derive::audited;

#[audited(action = "document.delete", target = "id")]
fn unused_variable(id: u64, unused: u8) -> u64 {
    let other = 1;
    id
}

#[audited(action = "document.delete", target = "id")]
async fn unneeded_mut(id: u64, mut unneeded: u64) -> u64 {
    id + unneeded
}

#[audited(action = "document.delete", target = "id")]
fn dead_code(id: String) {
    drop(id);
}

#[audited(action = "document.delete", target = "id")]
async fn unreachable_code(id: u64) -> u64 {
    return id;
    panic!();
}

#[must_use]
#[audited(action = "document.delete", target = "id")]
fn must_be_used(id: u64) -> u64 {
    id
}

#[deprecated]
#[audited(action = "document.delete", target = "id")]
fn is_deprecated(id: String) {
    drop(id);
}

#[deny(deprecated)]
fn main() {
    drop((unused_variable(1, 2), unneeded_mut(1, 2), unreachable_code(1)));
    must_be_used(1);
    is_deprecated(String::new());
}

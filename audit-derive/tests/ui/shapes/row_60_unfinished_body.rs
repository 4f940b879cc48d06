//! An unfinished body is kept: errors are about the body, *never* about its callers.

use audit_derive::audited;

#[audited(action = "document.delete", target = "id")]
async fn unfinished(id: String) -> usize {
    let length = id.
}

#[audited(action = "document.delete", target = "idd")]
async fn unfinished_attribute(id: String) -> usize {
    id.len()
}

async fn calls() -> usize {
    unfinished(String::new()).await + unfinished_attribute(String::new()).await
}

fn main() {
    drop(calls());
}

use audit_core::{Action, action};
use audit_derive::audited;

mod actions {
    use super::{Action, action};

    pub const DOCUMENT_DELETE: Action = action!("document.share");
}

#[audited(action = actions::DOCUMENT_DELETE, target = "id")]
fn delete(id: u64) {}

fn main() {
    delete(1);
}

use audit_core::catalog;
use audit_derive::audited;

catalog! { mod actions; }

#[audited(action = actions::DOCUMENT_DELET, target = "id")]
fn delete(id: u64) {}

fn main() {
    delete(1);
}

use audit_derive::audited;

#[audited(action = actions::DOCUMENT_DELETE, target = "id")]
fn delete(id: u64) {}

mod actions {}

fn main() {
    delete(1);
}

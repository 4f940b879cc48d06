use audit_derive::audited;

const DOCUMENT_DELETE: &str = "document.delete";

#[audited(action = DOCUMENT_DELETE, target = "id")]
fn delete(id: u64) {}

fn main() {
    delete(1);
}

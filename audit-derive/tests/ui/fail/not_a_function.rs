use audit_derive::audited;

#[audited(action = "document.delete", target = "id")]
struct Document {
    id: u64,
}

fn main() {
    assert_eq!(Document { id: 1 }.id, 1);
}

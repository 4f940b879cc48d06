use audit_derive::audited;

#[audited(action = "document.delete", target = "idd")]
fn delete(id: u64) -> u64 {
    id
}

fn main() {
    assert_eq!(delete(1), 1);
}

use audit_derive::audited;

#[audited(action = "document.delete", target = "id")]
const fn delete(id: u64) -> u64 {
    id
}

fn main() {
    const ONE: u64 = delete(1);
    assert_eq!(ONE, 1);
}

use audit_derive::audited;

#[audited(action = "document.share", target(document = id), target(user = 1), metadata(role = "r"))]
fn share(id: u64) -> u64 {
    id
}

fn main() {
    assert_eq!(share(1), 1);
}

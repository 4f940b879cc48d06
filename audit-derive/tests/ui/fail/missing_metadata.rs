use audit_derive::audited;

#[audited(action = "document.share", target(user = id))]
async fn share(id: u64) {
    drop(id);
}

fn main() {
    drop(share(1));
}

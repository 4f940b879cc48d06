use audit_derive::audited;

#[audited(action = "document.share", target(user = id), metadata(role = "a", status = 200))]
async fn share(id: u64) {
    drop(id);
}

fn main() {
    drop(share(1));
}

use audit_derive::audited;

#[audited(action = "document.share", target(user = id), metadata(role = display(id), pages = display(id)))]
async fn share(id: u64) {
    drop(id);
}

fn main() {
    drop(share(1));
}

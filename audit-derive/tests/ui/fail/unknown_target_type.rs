use audit_derive::audited;

#[audited(action = "document.share", target(documnt = doc_id), target(group = 1), metadata(role = "r"))]
async fn share(doc_id: u64) {
    drop(doc_id);
}

fn main() {
    drop(share(1));
}

use audit_derive::audited;

#[audited(action = "document.share", target = "doc_id", metadata(role = "r"))]
async fn share(doc_id: u64) {
    drop(doc_id);
}

fn main() {
    drop(share(1));
}

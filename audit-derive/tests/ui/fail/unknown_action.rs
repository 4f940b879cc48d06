use audit_derive::audited;

#[audited(action = "document.delet", target = "doc_id")]
async fn delete(doc_id: u64) {
    drop(doc_id);
}

fn main() {
    drop(delete(1));
}

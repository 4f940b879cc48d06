use audit_derive::audited;

struct Path<T>(T);

#[audited(action = "document.delete", target = "doc_di")]
async fn delete(Path(doc_id): Path<u64>, reason: String) {
    drop((doc_id, reason));
}

fn main() {
    drop(delete(Path(1), String::new()));
}

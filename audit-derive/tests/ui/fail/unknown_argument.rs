use audit_derive::audited;

#[audited(action = "document.delete", traget = "id", target = "id")]
async fn delete(id: u64) {
    drop(id);
}

fn main() {
    drop(delete(1));
}

use audit_derive::audited;

#[audited(target = "id")]
async fn delete(id: u64) {
    drop(id);
}

fn main() {
    drop(delete(1));
}

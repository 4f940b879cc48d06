use audit_derive::audited;
use std::future::Future;

#[audited(action = "document.delete", target = "id", event = ev)]
fn delete(id: u64) -> impl Future<Output = u64> + Send {
    async move { id }
}

fn main() {
    drop(delete(1));
}

#![deny(unused)]

use audit_derive::audited;

#[audited(action = "document.delete", target = "id")]
fn unused_variable(id: u64, unused: u8) -> u64 {
    let other = 1;
    id
}

#[audited(action = "document.delete", target = "id")]
async fn unneeded_mut(id: u64, mut unneeded: u64) -> u64 {
    id + unneeded
}

#[audited(action = "document.delete", target = "id")]
fn dead_code(id: String) {
    drop(id);
}

#[audited(action = "document.delete", target = "id")]
async fn unreachable_code(id: u64) -> u64 {
    return id;
    panic!();
}

#[must_use]
#[audited(action = "document.delete", target = "id")]
fn must_be_used(id: u64) -> u64 {
    id
}

#[deprecated]
#[audited(action = "document.delete", target = "id")]
fn is_deprecated(id: String) {
    drop(id);
}

#[audited(action = "document.delete", target = "id")]
fn unused_in_a_returned_future(id: u64, unused: u8) -> impl Future<Output = u64> {
    let other = 1;
    async move {
        let more = 1;
        id
    }
}

struct Store;

trait Documents {
    fn delete(&self, id: u64, unused: u8) -> impl Future<Output = u64>;
}

#[async_trait::async_trait]
trait AsyncDocuments {
    async fn delete_all(&self, id: u64, unused: u8);
}

impl Documents for Store {
    #[audited(action = "document.delete", target = "id")]
    async fn delete(&self, id: u64, unused: u8) -> u64 {
        id
    }
}

#[async_trait::async_trait]
impl AsyncDocuments for Store {
    #[audited(action = "document.delete", target = "id")]
    async fn delete_all(&self, id: u64, unused: u8) {
        unused_in_a_returned_future(id, 1);
    }
}

#[deny(deprecated)]
fn main() {
    drop((Store.delete(1, 2), Store.delete_all(1, 2)));
    drop((unused_variable(1, 2), unneeded_mut(1, 2), unreachable_code(1)));
    must_be_used(1);
    is_deprecated(String::new());
}

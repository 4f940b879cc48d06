use audit_derive::audited;

trait Documents {
    #[audited(action = "document.delete", target = "id")]
    fn delete(&self, id: u64) -> u64;
}

impl Documents for () {
    fn delete(&self, id: u64) -> u64 {
        id
    }
}

#[async_trait::async_trait]
trait AsyncDocuments {
    #[audited(action = "document.delete", target = "id")]
    async fn delete(&self, id: u64) -> u64;
}

fn main() {
    assert_eq!(().delete(1), 1);
}

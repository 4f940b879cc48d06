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

fn main() {
    assert_eq!(().delete(1), 1);
}

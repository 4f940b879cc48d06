use audit_derive::audited;

struct Documents;

impl Documents {
    #[audited(
        action = "document.share",
        target = "id",
        target(documnt = ids),
        metadata(pagse = 1, notify = true, notify = false),
        metadata(status = 200),
        actr = user,
    )]
    async fn share(&self, ids: u64) -> u64 {
        ids
    }
}

fn main() {
    drop(Documents.share(1));
}

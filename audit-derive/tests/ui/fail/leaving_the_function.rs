use audit_derive::audited;

#[audited(action = "document.delete", target(document = id.ok_or("none")?))]
async fn delete(id: Option<u64>) -> Result<(), &'static str> {
    id.map(drop).ok_or("none")
}

#[audited(action = "document.delete", target(document = find().await))]
async fn wait() {}

async fn find() -> u64 {
    1
}

fn main() {
    drop((delete(None), wait()));
}

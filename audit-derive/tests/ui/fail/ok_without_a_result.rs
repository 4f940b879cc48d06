use audit_derive::audited;

struct Document {
    id: u64,
}

#[audited(action = "document.delete", target(document = ok.id))]
fn returns_nothing() {}

#[audited(action = "document.delete", target = "ok.id")]
fn returns_no_result() -> Document {
    Document { id: 1 }
}

#[audited(action = "document.delete", target(document = ok.idd))]
fn has_no_such_field() -> Result<Document, ()> {
    Ok(Document { id: 1 })
}

fn main() {}

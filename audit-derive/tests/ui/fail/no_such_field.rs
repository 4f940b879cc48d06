use audit_derive::audited;

struct Body {
    id: u64,
}

#[audited(action = "document.delete", target = "body.uuid")]
async fn delete(body: Body) {
    drop(body.id);
}

fn main() {
    drop(delete(Body { id: 1 }));
}

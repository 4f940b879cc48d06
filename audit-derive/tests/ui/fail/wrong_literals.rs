use audit_derive::audited;

const ACTION: &str = "document.delete";

#[audited(action = ACTION, target = id)]
async fn by_name(id: u64) {
    drop((id, ACTION));
}

#[audited(action = 1, target = 2)]
async fn by_number(id: u64) {
    drop(id);
}

fn main() {
    drop((by_name(1), by_number(1)));
}

use audit_derive::{audited, unaudited};

#[audited(action = "document.delete", target = "id")]
#[unaudited(reason = "reads only")]
fn audited_first(id: u64) {
    drop(id);
}

#[unaudited(reason = "reads only")]
#[audited(action = "document.delete", target = "id")]
fn unaudited_first(id: u64) {
    drop(id);
}

fn main() {
    audited_first(1);
    unaudited_first(1);
}

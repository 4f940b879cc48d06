#![deny(deprecated)]

use audit_derive::audited;

#[audited(action = "link.open", target = "id")]
async fn open(id: String) {
    drop(id);
}

#[allow(deprecated, reason = "to be replaced")]
#[audited(action = "link.open", target = "id")]
async fn known(id: String) {
    drop(id);
}

fn main() {
    drop((open(String::new()), known(String::new())));
}

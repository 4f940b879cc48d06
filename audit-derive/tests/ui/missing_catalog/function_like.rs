use audit_core::{action, catalog, record};

fn main() {
    println!("{:?} {}", catalog!(), action!("document.delete"));
    record!("document.share", target(user = 1), metadata(role = "reader"));
}

use audit_core::{record, try_record};

fn main() {
    record!("document.share", target(document = 1.5), metadata(role = 7));
    drop(try_record!("document.delete", target(document = 1), outcome = "failed"));
}

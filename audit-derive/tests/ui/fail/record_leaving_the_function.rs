use audit_core::record;

fn id() -> Option<u64> {
    None
}

fn export() -> Option<()> {
    record!("document.delete", target(document = id()?));
    Some(())
}

fn main() {
    drop(export());
}

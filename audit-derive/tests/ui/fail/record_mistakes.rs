use audit_core::record;

fn main() {
    let id = 7;
    record!("document.shar", target(document = id));
    record!("document.share", target(folder = id), metadata(rol = "reader"));
    record!("document.delete", target = "id", outcom = 1);
    record!();
}

use audit_core::{EmbeddedCatalog, catalog};

const CATALOG: EmbeddedCatalog = catalog!();

catalog! { mod actions; }

fn main() {
    println!("{:?} {}", CATALOG, actions::DOCUMENT_DELETE);
}

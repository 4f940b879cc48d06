#![deny(deprecated)]

use audit_core::{catalog, record};

catalog! { mod actions; }

fn main() {
    drop(actions::LINK_OPEN);
    record!("link.open", target(link = 1));
}

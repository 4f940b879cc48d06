//! A secret is never recorded.

use audit_core::{Secret, audited};

#[audited(action = "link.follow", target(link = token), metadata(url = password))]
fn records_secrets(token: Secret<String>, password: Secret<String>) {
    drop((token, password));
}

fn main() {}

use audit_core::catalog;

catalog! { pub mod actions {} }

fn main() {
    drop(catalog!(actions));
}

use audit_core::action;

fn main() {
    drop(action!("document.delet"));
}

use audit_core::{Action, action};

const DELETE: Action = action!("document.delete");

fn main() {
    drop(action!(DELETE));
    drop(action!("document.delete", DELETE));
}

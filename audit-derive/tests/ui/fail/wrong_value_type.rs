use audit_derive::audited;

struct Role;

#[audited(
    action = "document.share",
    target(document = role),
    metadata(role = role, pages = "many", notify = 1),
)]
async fn share(role: Role) {
    drop(role);
}

fn main() {
    drop(share(Role));
}

use audit_derive::audited;

#[audited(action = "document.delete", target = "id")]
async fn wrong_type(id: u64) -> Result<u64, String> {
    Ok("text")
}

#[audited(action = "document.delete", target = "id")]
async fn no_value_at_the_end(id: u64) -> Result<u64, String> {
    drop(id);
}

#[audited(action = "document.delete", target = "id")]
fn no_value_at_the_end_of_a_sync_function(id: u64) -> u64 {
    drop(id);
}

#[audited(action = "document.delete", target = "id")]
async fn wrong_question_mark(id: u64) -> Result<u64, std::num::ParseIntError> {
    std::fs::read("x")?;
    Ok(id)
}

#[audited(action = "document.delete", target = "id")]
async fn unknown_name(id: u64) -> u64 {
    idd + id
}

#[audited(action = "document.delete", target = "id")]
async fn moved_twice(id: String) {
    drop(id);
    drop(id);
}

#[audited(action = "document.delete", target = "id")]
async fn not_mutable(id: String) {
    id.clear();
}

#[audited(action = "document.delete", target = "id")]
fn wrong_type_of_a_returned_future(id: u64) -> impl std::future::Future<Output = Result<u64, String>> {
    async move {
        let length: usize = id;
        Ok(length)
    }
}

#[audited(action = "document.delete", target = "id")]
fn no_future(id: u64) -> std::pin::Pin<Box<dyn std::future::Future<Output = u64>>> {
    drop(id);
}

#[audited(action = "document.delete", target = "id")]
fn moved_before_the_future(id: String) -> impl std::future::Future<Output = usize> {
    drop(id);
    async move { id.len() }
}

fn main() {}

async fn run(id: u8) -> ! {
    let draft = ::audit_core::private::open_target("document.delete", "document", &id);
    {
        loop {
            step(id).await
        }
    }
}

async fn run(id: u8) -> ! {
    {
        const _: (
            &[&[::core::primitive::u8]],
            ::core::option::Option<&::core::primitive::str>,
        ) = (
            &[::core::include_bytes!("/project/audit.toml")],
            ::core::option_env!("AUDIT_CATALOG"),
        );
    }
    let draft = ::audit_core::private::open_target("document.delete", "document", &id);
    {
        loop {
            step(id).await
        }
    }
}

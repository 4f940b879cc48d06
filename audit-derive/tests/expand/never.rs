async fn run(id: u8) -> ! {
    let mut draft = {
        static SITE: ::audit_core::private::CallSite = ::audit_core::private::CallSite::new(
            "document.delete",
            ::core::file!(),
            ::core::line!(),
        );
        const _: (
            &[&[::core::primitive::u8]],
            ::core::option::Option<&::core::primitive::str>,
        ) = (
            &[::core::include_bytes!("/project/audit.toml")],
            ::core::option_env!("AUDIT_CATALOG"),
        );
        ::audit_core::private::open(&SITE)
    };
    if ::audit_core::private::Draft::is_recording(&draft) {
        ::audit_core::private::target(&mut draft, "document", &id);
    }
    {
        loop {
            step(id).await
        }
    }
}

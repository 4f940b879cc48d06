fn f(url: Url) {
    {
        const _: (
            &[&[::core::primitive::u8]],
            ::core::option::Option<&::core::primitive::str>,
        ) = (
            &[::core::include_bytes!("/project/audit.toml")],
            ::core::option_env!("AUDIT_CATALOG"),
        );
    }
    let mut draft = ::audit_core::private::open_target(
        "document.share",
        "document",
        &url,
    );
    if ::audit_core::private::Draft::is_recording(&draft) {
        ::audit_core::private::display(&mut draft, "role", &url.role());
    }
    let output = ::audit_core::private::once(move || {
        if false {
            return;
        }
        {}
    });
    ::audit_core::private::close(draft, ::audit_core::private::Outcome::Unknown);
    output
}

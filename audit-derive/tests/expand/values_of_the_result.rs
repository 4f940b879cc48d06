async fn create(user: u64) -> Result<Doc, AppError> {
    let mut draft = {
        const _: (
            &[&[::core::primitive::u8]],
            ::core::option::Option<&::core::primitive::str>,
        ) = (
            &[::core::include_bytes!("/project/audit.toml")],
            ::core::option_env!("AUDIT_CATALOG"),
        );
        ::audit_core::private::open("document.share")
    };
    ::audit_core::private::late(&mut draft, &["document"]);
    ::audit_core::private::target(&mut draft, "user", &user);
    ::audit_core::private::text(&mut draft, "role", &"x");
    let output = async move {
        if false {
            return ::audit_core::private::edge::<Result<Doc, AppError>>();
        }
        { Ok(insert(user).await?) }
    }
        .await;
    if ::audit_core::private::Draft::is_recording(&draft) {
        if let ::core::result::Result::Ok(ok) = &output {
            ::audit_core::private::resolve(&mut draft);
            ::audit_core::private::target(&mut draft, "document", &ok.id);
            ::audit_core::private::number(&mut draft, "pages", &ok.pages);
        }
    }
    {
        use ::audit_core::private::Ladder as _;
        (&mut ::audit_core::private::Probe(&output)).__audit_close(draft);
    }
    output
}

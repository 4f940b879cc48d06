async fn f(id: Uuid) -> Result<impl IntoResponse, AppError> {
    #![allow(unused)]
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
    let output = async move {
        if false {
            return ::audit_core::private::edge::<Result<_, AppError>>();
        }
        { Ok(id) }
    }
        .await;
    {
        use ::audit_core::private::Ladder as _;
        (&mut ::audit_core::private::Probe(&output)).__audit_close(draft);
    }
    output
}

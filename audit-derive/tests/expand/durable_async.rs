async fn delete(id: u64) -> Result<(), AppError> {
    let mut draft = {
        const _: (
            &[&[::core::primitive::u8]],
            ::core::option::Option<&::core::primitive::str>,
        ) = (
            &[::core::include_bytes!("/project/audit.toml")],
            ::core::option_env!("AUDIT_CATALOG"),
        );
        ::audit_core::private::open("document.delete")
    };
    ::audit_core::private::durable(&mut draft);
    ::audit_core::private::target(&mut draft, "document", &id);
    let output = async move {
        if false {
            return ::audit_core::private::edge::<Result<(), AppError>>();
        }
        { db.delete(id).await }
    }
        .await;
    let commits = {
        use ::audit_core::private::Ladder as _;
        (&mut ::audit_core::private::Probe(&output)).__audit_commit(draft)
    };
    commits.await;
    output
}

fn delete(id: Uuid) -> impl Future<Output = Result<(), AppError>> + Send {
    let mut draft = {
        const _: (
            &[&[::core::primitive::u8]],
            ::core::option::Option<&::core::primitive::str>,
        ) = (
            &[::core::include_bytes!("/project/audit.toml")],
            ::core::option_env!("AUDIT_CATALOG"),
        );
        ::audit_core::private::defer("document.delete")
    };
    ::audit_core::private::target(&mut draft, "document", &id);
    let future = ::audit_core::private::start::<
        Result<(), AppError>,
        _,
    >(move || {
        if false {
            return ::audit_core::private::edge::<_>();
        }
        {
            let db = db();
            async move { db.delete(id).await }
        }
    });
    ::audit_core::private::follow::<
        Result<(), AppError>,
        _,
        _,
    >(
        draft,
        future,
        |output, draft| {
            {
                use ::audit_core::private::Ladder as _;
                (&mut ::audit_core::private::Probe(output)).__audit_close(draft);
            }
        },
    )
}

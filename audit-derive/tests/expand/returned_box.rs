fn delete(&self, id: Uuid) -> BoxFuture<'_, Result<Doc, AppError>> {
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
    ::audit_core::private::late(&mut draft, &["document"]);
    let future = ::audit_core::private::start::<
        Result<Doc, AppError>,
        _,
    >(move || {
        if false {
            return ::audit_core::private::edge::<BoxFuture<'_, Result<Doc, AppError>>>();
        }
        let mut id = id;
        { Box::pin(async move { self.delete(id).await }) }
    });
    ::audit_core::private::pinned(
        ::audit_core::private::follow::<
            Result<Doc, AppError>,
            _,
            _,
        >(
            draft,
            future,
            |output, draft| {
                let mut draft = draft;
                if ::audit_core::private::Draft::is_recording(&draft) {
                    if let ::core::result::Result::Ok(ok) = &output {
                        ::audit_core::private::resolve(&mut draft);
                        ::audit_core::private::target(&mut draft, "document", &ok.id);
                    }
                }
                {
                    use ::audit_core::private::Ladder as _;
                    (&mut ::audit_core::private::Probe(output)).__audit_close(draft);
                }
            },
        ),
    )
}

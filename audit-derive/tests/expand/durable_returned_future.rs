fn delete(id: u64) -> impl Future<Output = ()> {
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
    ::audit_core::private::durable(&mut draft);
    ::audit_core::private::target(&mut draft, "document", &id);
    let future = ::audit_core::private::start::<
        (),
        _,
    >(move || {
        if false {
            return ::audit_core::private::edge::<_>();
        }
        { db.delete(id) }
    });
    ::audit_core::private::follow_durable::<
        (),
        _,
        _,
    >(
        draft,
        future,
        |output, draft| {
            {
                use ::audit_core::private::Ladder as _;
                (&mut ::audit_core::private::Probe(output)).__audit_commit(draft)
            }
        },
    )
}

fn delete(id: u64) {
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
    let output = ::audit_core::private::once(move || {
        if false {
            return;
        }
        {
            db.delete(id);
        }
    });
    let commits = ::audit_core::private::commit(
        draft,
        ::audit_core::private::Outcome::Unknown,
    );
    commits.wait();
    output
}

fn f() {
    {
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
        if ::audit_core::private::Draft::is_recording(&draft) {
            ::audit_core::private::durable(&mut draft);
            #[allow(
                clippy::borrow_deref_ref,
                reason = "the reference is not the user's"
            )]
            {
                ::audit_core::private::target(&mut draft, "document", &id);
            }
            ::audit_core::private::commit(draft, ::audit_core::Outcome::Succeeded)
                .wait();
        }
    }
}

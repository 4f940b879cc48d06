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
            ::audit_core::private::open("document.share")
        };
        if ::audit_core::private::Draft::is_recording(&draft) {
            ::audit_core::private::denied(&mut draft, "document.share_denied");
            #[allow(
                clippy::borrow_deref_ref,
                reason = "the reference is not the user's"
            )]
            {
                ::audit_core::private::target(&mut draft, "document", &id);
                ::audit_core::private::target(&mut draft, "user", &body.user);
                ::audit_core::private::display(&mut draft, "role", &role);
                ::audit_core::private::actor(&mut draft, &user);
                ::audit_core::private::organization(&mut draft, &org.id);
            }
            ::audit_core::private::close(
                draft,
                if done { Outcome::Succeeded } else { Outcome::Failed },
            );
        }
    }
}

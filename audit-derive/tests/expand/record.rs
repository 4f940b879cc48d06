fn f() {
    {
        let mut draft = ::audit_core::private::open("document.share");
        if ::audit_core::private::Draft::is_recording(&draft) {
            ::audit_core::private::record_denials_as(
                &mut draft,
                "document.share_denied",
            );
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

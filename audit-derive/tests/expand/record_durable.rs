fn f() {
    ::audit_core::private::write(
        match ::audit_core::private::try_open("document.delete") {
            ::core::result::Result::Ok(mut draft) => {
                ::audit_core::private::make_durable(&mut draft);
                #[allow(
                    clippy::borrow_deref_ref,
                    reason = "the reference is not the user's"
                )]
                {
                    ::audit_core::private::target(&mut draft, "document", &id);
                }
                ::core::result::Result::Ok((draft, ::audit_core::Outcome::Succeeded))
            }
            ::core::result::Result::Err(error) => ::core::result::Result::Err(error),
        },
    )
}

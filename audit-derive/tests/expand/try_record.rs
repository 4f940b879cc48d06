fn f() {
    match {
        const _: () = ::audit_core::private::assert_names(
            actions::DOCUMENT_DELETE,
            "document.delete",
            "`DOCUMENT_DELETE` is another action than `document.delete`; name the constant that `catalog!` made",
        );
        ::audit_core::private::try_open("document.delete")
    } {
        ::core::result::Result::Ok(mut draft) => {
            #[allow(
                clippy::borrow_deref_ref,
                reason = "the reference is not the user's"
            )]
            {
                ::audit_core::private::target(&mut draft, "document", &id);
            }
            ::audit_core::private::try_close(draft, ::audit_core::Outcome::Succeeded)
        }
        ::core::result::Result::Err(error) => ::core::result::Result::Err(error),
    }
}

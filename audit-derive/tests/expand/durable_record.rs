fn f() {
    {
        let mut draft = ::audit_core::private::open("document.delete");
        if ::audit_core::private::Draft::is_recording(&draft) {
            ::audit_core::private::make_durable(&mut draft);
            #[allow(
                clippy::borrow_deref_ref,
                reason = "the reference is not the user's"
            )]
            {
                ::audit_core::private::target(&mut draft, "document", &id);
            }
            ::audit_core::private::close_durable(draft, ::audit_core::Outcome::Succeeded)
                .wait();
        }
    }
}

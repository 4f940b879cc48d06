fn f(#[cfg(feature = "a")] id: u8, #[cfg(not(feature = "a"))] id: u16) {
    let mut draft = ::audit_core::private::open("document.delete");
    #[cfg(feature = "a")] ::audit_core::private::target(&mut draft, "document", &id);
    #[cfg(not(feature = "a"))]
    ::audit_core::private::target(&mut draft, "document", &id);
    let output = ::audit_core::private::call_body(move || {
        if false {
            return;
        }
        {}
    });
    ::audit_core::private::close(draft, ::audit_core::private::Outcome::Unknown);
    output
}

fn f(url: Url) {
    let mut draft = ::audit_core::private::open_target(
        "document.share",
        "document",
        &url,
    );
    if ::audit_core::private::Draft::is_recording(&draft) {
        ::audit_core::private::display(&mut draft, "role", &url.role());
    }
    let output = ::audit_core::private::call_body(move || {
        if false {
            return;
        }
        {}
    });
    ::audit_core::private::close(draft, ::audit_core::private::Outcome::Unknown);
    output
}

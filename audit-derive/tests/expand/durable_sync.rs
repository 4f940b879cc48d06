fn delete(id: u64) {
    let mut draft = ::audit_core::private::open("document.delete");
    ::audit_core::private::make_durable(&mut draft);
    ::audit_core::private::target(&mut draft, "document", &id);
    let output = ::audit_core::private::call_body(move || {
        if false {
            return;
        }
        {
            db.delete(id);
        }
    });
    let durable_write = ::audit_core::private::close_durable(
        draft,
        ::audit_core::private::Outcome::Unknown,
    );
    durable_write.wait();
    output
}

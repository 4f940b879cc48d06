fn delete(id: u64) -> impl Future<Output = ()> {
    let mut draft = ::audit_core::private::open_deferred("document.delete");
    ::audit_core::private::make_durable(&mut draft);
    ::audit_core::private::target(&mut draft, "document", &id);
    let future = ::audit_core::private::call_future_body::<
        (),
        _,
    >(move || {
        if false {
            return ::audit_core::private::return_type_hint::<_>();
        }
        { db.delete(id) }
    });
    ::audit_core::private::track_durable_future::<
        (),
        _,
        _,
    >(
        draft,
        future,
        |output, draft| {
            {
                use ::audit_core::private::OutcomeOf as _;
                (&mut ::audit_core::private::Probe(output)).__audit_close_durable(draft)
            }
        },
    )
}

fn delete(id: Uuid) -> impl Future<Output = Result<(), AppError>> + Send {
    let mut draft = ::audit_core::private::open_deferred("document.delete");
    ::audit_core::private::target(&mut draft, "document", &id);
    let future = ::audit_core::private::call_future_body::<
        Result<(), AppError>,
        _,
    >(move || {
        if false {
            return ::audit_core::private::return_type_hint::<_>();
        }
        {
            let db = db();
            async move { db.delete(id).await }
        }
    });
    ::audit_core::private::track_future::<
        Result<(), AppError>,
        _,
        _,
    >(
        draft,
        future,
        |output, draft| {
            {
                use ::audit_core::private::OutcomeOf as _;
                (&mut ::audit_core::private::Probe(output)).__audit_close(draft);
            }
        },
    )
}

fn delete(&self, id: Uuid) -> BoxFuture<'_, Result<Doc, AppError>> {
    let mut draft = ::audit_core::private::open_deferred("document.delete");
    ::audit_core::private::add_unresolved_targets(&mut draft, &["document"]);
    let future = ::audit_core::private::call_future_body::<
        Result<Doc, AppError>,
        _,
    >(move || {
        if false {
            return ::audit_core::private::return_type_hint::<
                BoxFuture<'_, Result<Doc, AppError>>,
            >();
        }
        let mut id = id;
        { Box::pin(async move { self.delete(id).await }) }
    });
    ::audit_core::private::pinned(
        ::audit_core::private::track_future::<
            Result<Doc, AppError>,
            _,
            _,
        >(
            draft,
            future,
            |output, draft| {
                let mut draft = draft;
                if ::audit_core::private::Draft::is_recording(&draft) {
                    if let ::core::result::Result::Ok(ok) = &output {
                        ::audit_core::private::clear_unresolved_targets(&mut draft);
                        ::audit_core::private::target(&mut draft, "document", &ok.id);
                    }
                }
                {
                    use ::audit_core::private::OutcomeOf as _;
                    (&mut ::audit_core::private::Probe(output)).__audit_close(draft);
                }
            },
        ),
    )
}

async fn delete(id: u64) -> Result<(), AppError> {
    let mut draft = ::audit_core::private::open("document.delete");
    ::audit_core::private::make_durable(&mut draft);
    ::audit_core::private::target(&mut draft, "document", &id);
    let output = async move {
        if false {
            return ::audit_core::private::return_type_hint::<Result<(), AppError>>();
        }
        { db.delete(id).await }
    }
        .await;
    let durable_write = {
        use ::audit_core::private::OutcomeOf as _;
        (&mut ::audit_core::private::Probe(&output)).__audit_close_durable(draft)
    };
    durable_write.await;
    output
}

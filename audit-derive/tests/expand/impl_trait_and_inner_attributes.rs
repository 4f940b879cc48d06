async fn f(id: Uuid) -> Result<impl IntoResponse, AppError> {
    #![allow(unused)]
    let draft = ::audit_core::private::open_target("document.delete", "document", &id);
    let output = async move {
        if false {
            return ::audit_core::private::return_type_hint::<Result<_, AppError>>();
        }
        { Ok(id) }
    }
        .await;
    {
        use ::audit_core::private::OutcomeOf as _;
        (&mut ::audit_core::private::Probe(&output)).__audit_close(draft);
    }
    output
}

async fn create(user: u64) -> Result<Doc, AppError> {
    let mut draft = ::audit_core::private::open("document.share");
    ::audit_core::private::add_unresolved_targets(&mut draft, &["document"]);
    ::audit_core::private::target(&mut draft, "user", &user);
    ::audit_core::private::text(&mut draft, "role", &"x");
    let output = async move {
        if false {
            return ::audit_core::private::return_type_hint::<Result<Doc, AppError>>();
        }
        { Ok(insert(user).await?) }
    }
        .await;
    if ::audit_core::private::Draft::is_recording(&draft) {
        if let ::core::result::Result::Ok(ok) = &output {
            ::audit_core::private::clear_unresolved_targets(&mut draft);
            ::audit_core::private::target(&mut draft, "document", &ok.id);
            ::audit_core::private::number(&mut draft, "pages", &ok.pages);
        }
    }
    {
        use ::audit_core::private::OutcomeOf as _;
        (&mut ::audit_core::private::Probe(&output)).__audit_close(draft);
    }
    output
}

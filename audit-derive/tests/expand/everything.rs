async fn share(
    id: u64,
    title: Title,
    len: usize,
    also: Vec<u64>,
) -> Result<(), AppError> {
    let mut draft = ::audit_core::private::open("document.share");
    ::audit_core::private::record_only_on(
        &mut draft,
        &[
            ::audit_core::private::Outcome::Succeeded,
            ::audit_core::private::Outcome::Denied,
        ],
    );
    if ::audit_core::private::Draft::is_recording(&draft) {
        if ::audit_core::private::target(&mut draft, "document", &id) {
            ::audit_core::private::target_display_name(&mut draft, &title);
            ::audit_core::private::target_number(&mut draft, "size", &len);
        }
        ::audit_core::private::targets(&mut draft, "user", also.iter());
        ::audit_core::private::text(&mut draft, "role", &"x");
    }
    let ev: &mut ::audit_core::private::Draft = &mut draft;
    let output = async move {
        if false {
            return ::audit_core::private::return_type_hint::<Result<(), AppError>>();
        }
        {
            ev.deny("no");
            Ok(())
        }
    }
        .await;
    if let ::core::result::Result::Err(error) = &output {
        ::audit_core::private::display(&mut draft, "error", error);
    }
    ::audit_core::private::close(draft, self::how(&output));
    output
}

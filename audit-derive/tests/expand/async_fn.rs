/// Shares.
#[must_use]
pub async fn share(
    Path(doc_id): Path<Uuid>,
    Json(body): Json<Share>,
) -> Result<Json<Doc>, AppError> {
    let mut draft = ::audit_core::private::open_target(
        "document.share",
        "document",
        &doc_id,
    );
    if ::audit_core::private::Draft::is_recording(&draft) {
        ::audit_core::private::target(&mut draft, "user", &body.user_id);
        ::audit_core::private::text(&mut draft, "role", &body.role);
        ::audit_core::private::number(&mut draft, "pages", &(body.pages + 1));
        ::audit_core::private::boolean(&mut draft, "notify", &body.notify);
    }
    let output = async move {
        if false {
            return ::audit_core::private::return_type_hint::<
                Result<Json<Doc>, AppError>,
            >();
        }
        {
            let doc = db.share(doc_id, body).await?;
            Ok(Json(doc))
        }
    }
        .await;
    {
        use ::audit_core::private::OutcomeOf as _;
        (&mut ::audit_core::private::Probe(&output)).__audit_close(draft);
    }
    output
}

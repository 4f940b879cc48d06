/// Searches.
#[must_use]
pub(crate) async fn search<'a, T: Query>(
    &'a self,
    Json(mut query): Json<T>,
) -> Result<impl IntoResponse, AppError> {
    #![allow(unused)]
    ::audit_core::private::exempt("reads only");
    {
        use std::io;
        query.limit(10);
        self.db.search(query).await
    }
}

async fn delete(self, id: Uuid, _lock: MutexGuard<'_, ()>) {
    let draft = ::audit_core::private::open_target("document.delete", "document", &id);
    let output = async move {
        #[allow(
            clippy::used_underscore_binding,
            reason = "moves the argument into the body"
        )]
        if false {
            ::audit_core::private::move_into_body(&self);
            ::audit_core::private::move_into_body(&_lock);
            return;
        }
        {}
    }
        .await;
    ::audit_core::private::close(draft, ::audit_core::private::Outcome::Unknown);
    output
}

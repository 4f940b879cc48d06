async fn delete(self, id: Uuid, _lock: MutexGuard<'_, ()>) {
    {
        const _: (
            &[&[::core::primitive::u8]],
            ::core::option::Option<&::core::primitive::str>,
        ) = (
            &[::core::include_bytes!("/project/audit.toml")],
            ::core::option_env!("AUDIT_CATALOG"),
        );
    }
    let draft = ::audit_core::private::open_target("document.delete", "document", &id);
    let output = async move {
        #[allow(clippy::used_underscore_binding, reason = "takes the argument along")]
        if false {
            ::audit_core::private::hold(&self);
            ::audit_core::private::hold(&_lock);
            return;
        }
        {}
    }
        .await;
    ::audit_core::private::close(draft, ::audit_core::private::Outcome::Unknown);
    output
}

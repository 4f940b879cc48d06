async fn delete(self, id: Uuid, _lock: MutexGuard<'_, ()>) {
    let mut draft = {
        static SITE: ::audit_core::private::CallSite = ::audit_core::private::CallSite::new(
            "document.delete",
            ::core::file!(),
            ::core::line!(),
        );
        const _: &[::core::primitive::u8] = ::core::include_bytes!(
            "/project/audit.toml"
        );
        const _: ::core::option::Option<&::core::primitive::str> = ::core::option_env!(
            "AUDIT_CATALOG"
        );
        ::audit_core::private::open(&SITE)
    };
    if ::audit_core::private::Draft::is_recording(&draft) {
        ::audit_core::private::target(&mut draft, "document", &id);
    }
    let output = async move {
        #[allow(
            unreachable_code,
            clippy::diverging_sub_expression,
            clippy::empty_loop,
            clippy::let_unit_value,
            clippy::let_with_type_underscore,
            clippy::needless_return,
            clippy::used_underscore_binding,
            reason = "states the return type, and never runs"
        )]
        if false {
            ::audit_core::private::hold(&self);
            ::audit_core::private::hold(&_lock);
            return;
        }
        {}
    }
        .await;
    ::audit_core::private::close(
        draft,
        {
            use ::audit_core::private::outcome::*;
            (&&&&&&&&::audit_core::private::outcome::Probe(&output)).__audit_outcome()
        },
    );
    output
}

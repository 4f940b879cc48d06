async fn delete(self, id: Uuid, _lock: MutexGuard<'_, ()>) {
    let mut draft = {
        const _: (
            &[&[::core::primitive::u8]],
            ::core::option::Option<&::core::primitive::str>,
        ) = (
            &[::core::include_bytes!("/project/audit.toml")],
            ::core::option_env!("AUDIT_CATALOG"),
        );
        ::audit_core::private::open(
            &::audit_core::private::CallSite {
                action: "document.delete",
                file: ::core::file!(),
                line: ::core::line!(),
                late: &[],
                on: &[],
                denied: ::core::option::Option::None,
            },
        )
    };
    if ::audit_core::private::Draft::is_recording(&draft) {
        ::audit_core::private::target(&mut draft, "document", &id);
    }
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
    ::audit_core::private::close(
        draft,
        {
            use ::audit_core::private::outcome::*;
            (&&&&&&::audit_core::private::outcome::Probe(&output)).__audit_outcome()
        },
    );
    output
}

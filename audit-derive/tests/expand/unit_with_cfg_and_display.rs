fn f(url: Url) {
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
                action: "document.share",
                file: ::core::file!(),
                line: ::core::line!(),
                late: &[],
                on: &[],
                denied: ::core::option::Option::None,
            },
        )
    };
    if ::audit_core::private::Draft::is_recording(&draft) {
        ::audit_core::private::target(&mut draft, "document", &url);
        ::audit_core::private::display(&mut draft, "role", &url.role());
    }
    let output = ::audit_core::private::once(move || {
        if false {
            return;
        }
        {}
    });
    ::audit_core::private::close(
        draft,
        {
            use ::audit_core::private::outcome::*;
            (&&&&&&::audit_core::private::outcome::Probe(&output)).__audit_outcome()
        },
    );
    output
}

fn delete<'a>(&'a mut self, user: &User, org: Org) -> &'a mut Self {
    let mut draft = {
        const _: (
            &[&[::core::primitive::u8]],
            ::core::option::Option<&::core::primitive::str>,
        ) = (
            &[::core::include_bytes!("/project/audit.toml")],
            ::core::option_env!("AUDIT_CATALOG"),
        );
        ::audit_core::private::open("document.delete")
    };
    if ::audit_core::private::Draft::is_recording(&draft) {
        ::audit_core::private::target(&mut draft, "document", &self.id);
        ::audit_core::private::actor(&mut draft, &user);
        ::audit_core::private::organization(&mut draft, &org.id);
    }
    let output = ::audit_core::private::once(move || {
        if false {
            return ::audit_core::private::edge::<&'a mut Self>();
        }
        {
            self.deleted = true;
            self
        }
    });
    {
        use ::audit_core::private::Ladder as _;
        (&mut ::audit_core::private::Probe(&output)).__audit_close(draft);
    }
    output
}

fn delete<'a>(&'a mut self, user: &User, org: Org) -> &'a mut Self {
    let mut draft = ::audit_core::private::open("document.delete");
    if ::audit_core::private::Draft::is_recording(&draft) {
        ::audit_core::private::target(&mut draft, "document", &self.id);
        ::audit_core::private::actor(&mut draft, &user);
        ::audit_core::private::organization(&mut draft, &org.id);
    }
    let output = ::audit_core::private::call_body(move || {
        if false {
            return ::audit_core::private::return_type_hint::<&'a mut Self>();
        }
        {
            self.deleted = true;
            self
        }
    });
    {
        use ::audit_core::private::OutcomeOf as _;
        (&mut ::audit_core::private::Probe(&output)).__audit_close(draft);
    }
    output
}

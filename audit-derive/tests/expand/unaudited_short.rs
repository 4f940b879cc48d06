fn f() -> u8 {
    ::audit_core::private::exempt("reads only");
    { 1 }
}

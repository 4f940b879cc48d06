const _: &[::core::primitive::u8] = ::core::include_bytes!("/project/audit.toml");
const _: &[::core::primitive::u8] = ::core::include_bytes!("/project/audit.lock");
const _: ::core::option::Option<&::core::primitive::str> = ::core::option_env!(
    "AUDIT_CATALOG"
);

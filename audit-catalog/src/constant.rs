//! The names of the constants that `catalog!` generates.

/// Converts `document.share` to `DOCUMENT_SHARE`; see
/// [`Action::constant`](crate::Action::constant).
pub(crate) fn constant_name(action: &str) -> String {
    let mut constant = String::with_capacity(action.len());
    if action.starts_with(|c: char| c.is_ascii_digit()) {
        constant.push('_');
    }
    let mut before = ' ';
    for c in action.chars() {
        if c.is_ascii_uppercase() && before.is_ascii_lowercase() {
            constant.push('_');
        }
        constant.push(if c.is_ascii_alphanumeric() {
            c.to_ascii_uppercase()
        } else {
            '_'
        });
        before = c;
    }
    constant
}

#[cfg(test)]
mod tests {
    use super::constant_name;

    #[test]
    fn names_become_rust_constants() {
        for (name, constant) in [
            ("document.share", "DOCUMENT_SHARE"),
            ("user.sign_in_failed", "USER_SIGN_IN_FAILED"),
            ("vault:kv.read", "VAULT_KV_READ"),
            ("apiKey.create", "API_KEY_CREATE"),
            ("API.reset", "API_RESET"),
            ("2fa.enable", "_2FA_ENABLE"),
            ("a", "A"),
        ] {
            assert_eq!(constant_name(name), constant);
        }
    }
}

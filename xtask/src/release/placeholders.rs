//! The placeholders of the root manifest, which a release has to replace.

/// The values of the root manifest that are made up, each with what has to be there instead.
const PLACEHOLDERS: [(&str, &str); 2] = [
    (
        "repository = \"https://github.com/example/",
        "`repository` in Cargo.toml is a placeholder; set the URL of the repository",
    ),
    (
        "security-contact = \"security@example.com\"",
        "`security-contact` in Cargo.toml is a placeholder; set an address that is read",
    ),
];

/// Returns a sentence for each placeholder of the root manifest.
pub(super) fn find(manifest: &str) -> Vec<&'static str> {
    let found = PLACEHOLDERS
        .iter()
        .filter(|(text, _)| manifest.contains(text));
    found.map(|(_, sentence)| *sentence).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_placeholders_are_reported() {
        let text = "repository = \"https://github.com/example/audited\"";
        assert_eq!(find(text), [PLACEHOLDERS[0].1]);
        assert_eq!(
            find("repository = \"https://git.host/team/audited\""),
            [""; 0]
        );
    }
}

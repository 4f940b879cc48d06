//! Compares expansions with the snapshots in `tests/expand`.

/// Compares tokens with `tests/expand/{name}.rs`, or writes that file if `UPDATE_EXPECT` is set.
pub(crate) fn expands_to(name: &str, tokens: &str) {
    let file = syn::parse_str(tokens).unwrap_or_else(|error| panic!("{error}: {tokens}"));
    let found = prettyplease::unparse(&file);
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/expand")
        .join(name)
        .with_extension("rs");
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, &found).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        found,
        expected,
        "{}: see the difference; UPDATE_EXPECT=1 accepts it",
        path.display()
    );
}

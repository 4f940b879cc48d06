//! The places of modules and of their tests.

use super::krate::Files;

/// Returns a sentence for each file that belongs elsewhere.
pub(super) fn misplaced(files: &Files) -> Vec<String> {
    let mut found = Vec::new();
    for path in files.keys() {
        let Some(stem) = path.strip_suffix(".rs") else {
            continue;
        };
        let folder = format!("{stem}/");
        if files.keys().any(|other| other.starts_with(&folder)) {
            found.push(format!(
                "{path} is beside {folder}; move it to {folder}mod.rs"
            ));
        }
        if stem.ends_with("_tests") {
            found.push(format!(
                "{path} holds unit tests; move them to the foot of the file that they test, or to \
                 tests.rs in the folder of its module"
            ));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_beside_their_folder_and_test_files_are_reported() {
        let paths = [
            "a.rs",
            "a/b.rs",
            "c/mod.rs",
            "c/tests.rs",
            "d_tests.rs",
            "ab.rs",
        ];
        let files = paths.map(|path| (path.to_owned(), String::new())).into();
        let expected = [
            "a.rs is beside a/; move it to a/mod.rs",
            "d_tests.rs holds unit tests; move them to the foot of the file that they test, or to \
             tests.rs in the folder of its module",
        ];
        assert_eq!(misplaced(&files), expected);
    }
}

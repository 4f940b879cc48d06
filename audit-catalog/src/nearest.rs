//! Finds the most similar name, for "did you mean".

/// Returns the candidate most similar to `word`, if one is similar enough to suggest.
///
/// Similar is, in this order: equal except for case; an edit distance (insertions, deletions,
/// replacements, swaps) of at most a third of the longer word's characters, and at least one; the
/// same parts in another order, as in `delete.document`. Of equally similar candidates, the first
/// is returned.
#[must_use]
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = word.to_lowercase();
    let parts = parts_of(&lower);
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let other = candidate.to_lowercase();
        let longer = lower.chars().count().max(other.chars().count());
        let cut_off = (longer / 3).max(1);
        let distance = match strsim::osa_distance(&lower, &other) {
            // If every character changed, the words have nothing in common.
            distance if distance <= cut_off && distance < longer || distance == 0 => distance,
            _ if parts.len() > 1 && parts == parts_of(&other) => cut_off,
            _ => continue,
        };
        if best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

fn parts_of(name: &str) -> Vec<&str> {
    let mut parts: Vec<&str> = name.split(|c: char| !c.is_alphanumeric()).collect();
    parts.sort_unstable();
    parts
}

#[cfg(test)]
mod tests {
    use super::nearest;
    use proptest::prelude::*;

    const NAMES: [&str; 4] = ["document.delete", "document.share", "login", "a"];

    #[test]
    fn a_typing_mistake_finds_the_name() {
        assert_eq!(nearest("document.delet", NAMES), Some("document.delete"));
        assert_eq!(nearest("docment.shrae", NAMES), Some("document.share"));
        assert_eq!(nearest("Document.Share", NAMES), Some("document.share"));
        assert_eq!(nearest("delete_document", NAMES), Some("document.delete"));
    }

    #[test]
    fn a_different_word_is_not_suggested() {
        assert_eq!(nearest("invoice.pay", NAMES), None);
        assert_eq!(nearest("b", NAMES), None);
        assert_eq!(nearest("", NAMES), None);
        assert_eq!(nearest("x", []), None);
    }

    proptest! {
        #[test]
        fn a_candidate_is_nearest_to_itself(names in prop::collection::vec("[a-z.]{1,12}", 1..8), pick in any::<prop::sample::Index>()) {
            let word = pick.get(&names);
            prop_assert_eq!(nearest(word, names.iter().map(String::as_str)), Some(word.as_str()));
        }

        #[test]
        fn the_result_is_one_of_the_candidates(word in "\\PC{0,12}", names in prop::collection::vec("\\PC{0,12}", 0..8)) {
            if let Some(found) = nearest(&word, names.iter().map(String::as_str)) {
                prop_assert!(names.iter().any(|name| name == found));
            }
        }
    }
}

//! Wildcards among the names of actions, which the service does not support.

use super::error::Error;

/// Returns whether a name is a wildcard.
pub(super) fn is(name: &str) -> bool {
    name.contains('*')
}

/// Expands wildcards to names, each once, in the order of first occurrence.
pub(super) fn expand(asked: &[String], known: &[String]) -> Result<Vec<String>, Error> {
    let mut names: Vec<String> = Vec::new();
    for pattern in asked {
        let before = names.len();
        let mut matched = false;
        if is(pattern) {
            for name in known.iter().filter(|name| matches(pattern, name)) {
                matched = true;
                if !names.contains(name) {
                    names.push(name.clone());
                }
            }
            if !matched {
                return Err(Error::refused(format!(
                    "`{pattern}` matches no registered action, of which there are {}; without a name the export would hold \
                     every event",
                    known.len()
                )));
            }
            names[before..].sort_unstable();
        } else if !names.contains(pattern) {
            names.push(pattern.clone());
        }
    }
    Ok(names)
}

/// Returns whether a name matches a pattern, in which `*` matches any characters.
fn matches(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    // `split` gives at least one part.
    let Some(rest) = parts.next().and_then(|first| name.strip_prefix(first)) else {
        return false;
    };
    let Some(last) = parts.next_back() else {
        return rest.is_empty();
    };
    let Some(mut rest) = rest.strip_suffix(last) else {
        return false;
    };
    for part in parts {
        // The first place that fits is right: what follows it is the longest rest there can be.
        match rest.split_once(part) {
            Some((_, behind)) => rest = behind,
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_matches_any_characters() {
        for (pattern, name) in [
            ("user.*", "user.sign_in"),
            ("user.*", "user.a.b"),
            ("*", "a"),
            ("*.delete", "a.b.delete"),
            ("a*b*c", "abxbc"),
            ("a**", "a"),
            ("a*", "a"),
        ] {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [
            ("user.*", "users.a"),
            ("user.*", "user"),
            ("a*a", "a"),
            ("a*b*c", "acb"),
            ("*.delete", "a.deleted"),
        ] {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn names_are_unique_and_unknown_exact_names_are_kept() {
        let list = |names: &[&str]| {
            names
                .iter()
                .map(|&name| name.to_owned())
                .collect::<Vec<_>>()
        };
        let known = list(&["b.y", "b.x", "c"]);
        let expanded = expand(&list(&["b.x", "b.*", "session.created"]), &known).unwrap();
        assert_eq!(expanded, ["b.x", "b.y", "session.created"]);
        assert!(expand(&list(&["c", "d.*"]), &known).is_err());
    }
}

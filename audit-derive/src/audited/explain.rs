//! The error message for a missing catalog, with a sample.

use super::captures::Capture;
use crate::catalog::{Namer, Problem, shown};

/// Explains why there is no catalog.
///
/// If the file is missing, the message contains a sample that is valid for this attribute.
pub(crate) fn explain(problem: &Problem, name: &str, captures: &[Capture]) -> String {
    let (missing, remedy) = match problem {
        Problem::Unusable(message) => return message.clone(),
        Problem::Missing(places) => {
            let places: String = places
                .iter()
                .map(|place| format!("\n  {}", shown(place)))
                .collect();
            let remedy =
                "save this as audit.toml beside Cargo.toml, or name a file in AUDIT_CATALOG";
            (format!("no audit catalog; looked for{places}"), remedy)
        }
        Problem::NamedMissing(place, namer) => {
            let (namer, remedy) = match namer {
                Namer::Attribute => ("`catalog = ..`", "save this there, or correct the path"),
                Namer::Variable => ("AUDIT_CATALOG", "save this there, or unset the variable"),
            };
            let place = shown(place);
            let missing = format!("{namer} names a file that does not exist: {place}");
            (missing, remedy)
        }
    };
    let mut kinds: Vec<&str> = Vec::new();
    let mut fields: Vec<&str> = Vec::new();
    for capture in captures {
        match capture {
            Capture::Target(target) if !kinds.contains(&target.kind.name.as_str()) => {
                kinds.push(&target.kind.name);
            }
            Capture::Metadata(key, _) if !fields.contains(&key.name.as_str()) => {
                fields.push(&key.name)
            }
            _ => {}
        }
    }
    if kinds.is_empty() {
        kinds.extend(name.split('.').next());
    }
    let mut sample = format!("[action.\"{name}\"]\ntargets = {kinds:?}\n");
    if !fields.is_empty() {
        sample += &format!("[action.\"{name}\".metadata]\n");
        sample.extend(fields.iter().map(|field| format!("{field} = \"string\"\n")));
    }
    format!("{missing}\nhelp: {remedy}:\n\n{sample}")
}

#[cfg(test)]
mod tests {
    use audit_catalog::Catalog;

    use super::*;
    use crate::audited::args;
    use crate::errors::Errors;

    fn explained(problem: &Problem) -> String {
        let attribute = "target(document = x), target(user = y), metadata(role = r)";
        let args = args::parse(attribute.parse().unwrap(), &mut Errors::default());
        explain(problem, "document.share", &args.captures)
    }

    #[test]
    fn a_missing_catalog_lists_the_paths_and_a_valid_sample() {
        let message = explained(&Problem::Missing(vec![
            "/x/a/audit.toml".into(),
            "/x/audit.toml".into(),
        ]));
        assert!(
            message.starts_with(
                "no audit catalog; looked for\n  /x/a/audit.toml\n  /x/audit.toml\nhelp: "
            ),
            "{message}"
        );
        let (_, sample) = message.split_once("\n\n").unwrap();
        let catalog = Catalog::parse(sample, "sample").unwrap();
        let action = catalog.action("document.share").unwrap();
        assert!(action.target("document").is_some() && action.target("user").is_some());
        assert!(action.field("role").is_some());
    }

    #[test]
    fn a_named_catalog_that_is_missing_names_the_variable() {
        let message = explained(&Problem::NamedMissing("/x/y.toml".into(), Namer::Variable));
        assert!(
            message
                .starts_with("AUDIT_CATALOG names a file that does not exist: /x/y.toml\nhelp: "),
            "{message}"
        );
    }

    #[test]
    fn an_unusable_catalog_shows_only_its_message() {
        assert_eq!(explained(&Problem::Unusable("why".to_owned())), "why");
    }
}

//! Parses the document: actions, target types and the actor.

use toml::de::{DeTable, DeValue};

use super::reader::{Item, Key, Reader, at, in_order};
use crate::declarations::{ActionDeclaration, At, Declarations, Mistakes};
use crate::model::{Field, Kind};
use crate::nearest::nearest;

/// The keys of the file.
pub(crate) const DOCUMENT_KEYS: [&str; 3] = ["action", "target", "actor"];
/// The keys of an action.
pub(crate) const ACTION_KEYS: [&str; 7] = [
    "summary",
    "targets",
    "denied",
    "durable",
    "coalesce",
    "deprecated",
    "metadata",
];
/// The only key of a target type and of the actor.
pub(crate) const METADATA_ONLY: [&str; 1] = ["metadata"];

/// Parses the text of the mistakes' file into declarations.
///
/// Returns `None` if the text is no TOML. Every mistake is reported.
pub(crate) fn document(mistakes: &mut Mistakes<'_>) -> Option<Declarations> {
    let (document, errors) = DeTable::parse_recoverable(mistakes.text());
    if !errors.is_empty() {
        // A recovered tree lacks what was not understood; checking it would report mistakes that
        // are not there.
        mistakes.add_syntax(&errors);
        return None;
    }
    Some(Reader { mistakes }.document(document.get_ref()))
}

impl Reader<'_, '_> {
    fn document(&mut self, document: &DeTable<'_>) -> Declarations {
        let mut declarations = Declarations::default();
        for (key, item) in in_order(document) {
            match key.get_ref().as_ref() {
                "action" => {
                    for (name, item) in self.table(key, item) {
                        declarations.actions.extend(self.action(name, item));
                    }
                }
                "target" => {
                    for (name, item) in self.table(key, item) {
                        let metadata = self.only_metadata(name, item);
                        declarations.targets.push((at(name), metadata));
                    }
                }
                "actor" => declarations.actor = self.only_metadata(key, item),
                _ => self.unknown_key(key, &DOCUMENT_KEYS),
            }
        }
        declarations
    }

    fn action(&mut self, name: Key<'_, '_>, item: Item<'_, '_>) -> Option<ActionDeclaration> {
        if !item.get_ref().is_table() {
            self.wrong_type(name, item, "a table", item.get_ref());
            return None;
        }
        let table = self.table(name, item);
        // `[action.document.share]` is an action `document` with a table `share` in it.
        let unquoted = |(key, item): &(Key<'_, '_>, Item<'_, '_>)| {
            item.get_ref().is_table() && !ACTION_KEYS.contains(&key.get_ref().as_ref())
        };
        if let Some((key, _)) = table.iter().find(|entry| unquoted(entry)) {
            let (outer, inner) = (name.get_ref(), key.get_ref());
            self.mistakes.add(
                key.span().start,
                format!("unknown key `{inner}`; a name with a dot is quoted: `[action.\"{outer}.{inner}\"]`"),
            );
            if table.iter().all(unquoted) {
                return None;
            }
        }
        let mut action = ActionDeclaration {
            name: at(name),
            summary: None,
            targets: None,
            denied: None,
            durable: false,
            coalesce: None,
            deprecated: None,
            metadata: Vec::new(),
        };
        for (key, item) in table.into_iter().filter(|entry| !unquoted(entry)) {
            match key.get_ref().as_ref() {
                "summary" => action.summary = self.string(key, item),
                "targets" => action.targets = Some(self.strings(key, item)),
                "denied" => action.denied = self.string(key, item),
                "durable" => match item.get_ref() {
                    DeValue::Boolean(durable) => action.durable = *durable,
                    other => self.wrong_type(key, item, "`true` or `false`", other),
                },
                "coalesce" => {
                    action.coalesce = Some(At {
                        value: self.coalesce(key, item),
                        span: key.span(),
                    });
                }
                "deprecated" => action.deprecated = self.deprecation_note(key, item),
                "metadata" => action.metadata = self.fields(key, item),
                name => {
                    self.unknown_key(key, &ACTION_KEYS);
                    if nearest(name, ACTION_KEYS) == Some("targets") {
                        // The types are present under a misspelled key, which has just been
                        // reported.
                        action.targets = Some(At {
                            value: Vec::new(),
                            span: key.span(),
                        });
                    }
                }
            }
        }
        Some(action)
    }

    /// Parses the note of a deprecated action. An empty one is reported, because the compiler
    /// warning would not name a replacement.
    fn deprecation_note(&mut self, key: Key<'_, '_>, item: Item<'_, '_>) -> Option<String> {
        let text = self.string(key, item)?.value;
        if text.trim().is_empty() {
            let rule =
                "`deprecated` names the replacement, as in `deprecated = \"use document.grant\"`";
            self.mistakes.add(item.span().start, rule);
        }
        Some(text)
    }

    fn only_metadata(&mut self, key: Key<'_, '_>, item: Item<'_, '_>) -> Vec<At<Field>> {
        let mut fields = Vec::new();
        for (key, item) in self.table(key, item) {
            match key.get_ref().as_ref() {
                "metadata" => fields = self.fields(key, item),
                _ => self.unknown_key(key, &METADATA_ONLY),
            }
        }
        fields
    }

    fn fields(&mut self, key: Key<'_, '_>, item: Item<'_, '_>) -> Vec<At<Field>> {
        let table = self.table(key, item);
        table
            .into_iter()
            .filter_map(|(key, item)| self.field(key, item))
            .collect()
    }

    fn field(&mut self, key: Key<'_, '_>, item: Item<'_, '_>) -> Option<At<Field>> {
        let written = self.string(key, item)?.value;
        let (word, optional) = written
            .strip_suffix('?')
            .map_or((written.as_str(), false), |word| (word, true));
        let Some(kind) = Kind::ALL.into_iter().find(|kind| kind.as_str() == word) else {
            let meant = match word.to_lowercase().as_str() {
                "str" | "text" | "uuid" | "date" => Some(Kind::String.as_str()),
                "int" | "integer" | "float" | "double" | "decimal" => Some(Kind::Number.as_str()),
                "bool" => Some(Kind::Boolean.as_str()),
                lower => nearest(lower, Kind::ALL.map(Kind::as_str)),
            };
            let mark = if optional { "?" } else { "" };
            let hint = meant.map_or(String::new(), |meant| {
                format!("; did you mean \"{meant}{mark}\"?")
            });
            let kinds = Kind::ALL.map(|kind| format!("\"{kind}\"")).join(", ");
            self.mistakes.add(
                item.span().start,
                format!("unknown metadata type {written:?}; one of {kinds}{hint}"),
            );
            return None;
        };
        let key = at(key);
        Some(At {
            value: Field {
                key: key.value,
                kind,
                optional,
            },
            span: key.span,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::error::CatalogError;
    use crate::model::Catalog;

    fn parse(text: &str) -> Result<Catalog, CatalogError> {
        Catalog::parse(text, "audit.toml")
    }

    fn mistakes(text: &str) -> Vec<String> {
        let error = parse(text).unwrap_err();
        error.mistakes().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn an_unknown_metadata_type_names_the_types_and_the_nearest() {
        let text = "[action.a]\ntargets = [\"t\"]\nmetadata.x = \"strin\"\nmetadata.y = \"bool?\"\nmetadata.z = \"list\"";
        let kinds = "one of \"string\", \"number\", \"boolean\"";
        assert_eq!(
            mistakes(text),
            [
                format!("3:14: unknown metadata type \"strin\"; {kinds}; did you mean \"string\"?"),
                format!(
                    "4:14: unknown metadata type \"bool?\"; {kinds}; did you mean \"boolean?\"?"
                ),
                format!("5:14: unknown metadata type \"list\"; {kinds}"),
            ]
        );
    }

    #[test]
    fn unknown_keys_name_the_nearest_or_all() {
        assert_eq!(
            mistakes("[actions.a]\n[target.t]\nmetadat = 1\n[actor]\nx = 1"),
            [
                "1:2: unknown key `actions`; did you mean `action`?",
                "2:9: no action names the target type `t`",
                "3:1: unknown key `metadat`; did you mean `metadata`?",
                "5:1: unknown key `x`; expected one of `metadata`",
            ]
        );
    }

    #[test]
    fn a_misspelled_key_is_not_reported_as_missing_too() {
        assert_eq!(
            mistakes("[action.a]\ntarget = [\"t\"]"),
            ["2:1: unknown key `target`; did you mean `targets`?"]
        );
    }

    #[test]
    fn an_unquoted_name_is_recognized() {
        assert_eq!(
            mistakes("[action.document.share]\ntargets = [\"t\"]"),
            [
                "1:18: unknown key `share`; a name with a dot is quoted: `[action.\"document.share\"]`"
            ]
        );
    }

    #[test]
    fn a_value_of_a_wrong_type_is_reported_with_the_expected_type() {
        assert_eq!(
            mistakes(
                "action.a = 1\naction.b.targets = \"t\"\naction.b.durable = \"yes\"\naction.b.summary = 2.5\nactor = []"
            ),
            [
                "1:12: `a` must be a table, not an integer",
                "2:20: `targets` must be an array of strings, not a string",
                "3:20: `durable` must be `true` or `false`, not a string",
                "4:20: `summary` must be a string, not a float",
                "5:9: `actor` must be a table, not an array",
            ]
        );
    }

    #[test]
    fn a_deprecation_names_a_replacement() {
        assert_eq!(
            mistakes("[action.a]\ntargets = [\"t\"]\ndeprecated = \" \""),
            [
                "3:14: `deprecated` names the replacement, as in `deprecated = \"use document.grant\"`"
            ]
        );
    }

    #[test]
    fn a_duplicate_key_is_reported_at_its_second_position() {
        assert_eq!(
            mistakes("[action.a]\ntargets = [\"t\"]\ntargets = [\"u\"]"),
            ["3:1: invalid TOML: duplicate key"]
        );
    }

    #[test]
    fn syntax_errors_hide_other_mistakes() {
        let found = mistakes("[action.a]\ntargets = [\"t\"\n[nonsense]\n");
        assert!(
            found.iter().all(|mistake| mistake.contains("invalid TOML")),
            "{found:?}"
        );
    }

    proptest! {
        #[test]
        fn any_text_is_a_catalog_or_has_mistakes_at_valid_positions(text in "([\\[\\]\"=.{}?\n a-z]|action|target|metadata|string|ä){0,60}") {
            if let Err(error) = parse(&text) {
                let found = error.mistakes();
                prop_assert!(!found.is_empty());
                for mistake in found {
                    let line = text.split('\n').nth(mistake.line() - 1);
                    prop_assert!(line.is_some_and(|line| mistake.column() <= line.chars().count() + 1), "{mistake}");
                }
            }
        }
    }
}

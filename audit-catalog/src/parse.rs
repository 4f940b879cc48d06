//! TOML text to declarations, each with its place in the text.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use crate::{Catalog, Coalesce, Field, Kind, Mistake, check, nearest};

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
/// The keys of a target type and of the actor.
pub(crate) const METADATA_ONLY: [&str; 1] = ["metadata"];

/// Reads the text, and every mistake in it when there is one.
pub(crate) fn catalog(text: &str) -> Result<Catalog, Vec<Mistake>> {
    let (document, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        // A recovered tree lacks what was not understood; checking it would report mistakes that
        // are not there.
        return Err(Mistake::syntax(text, &errors));
    }
    let mut reader = Reader {
        text,
        mistakes: Vec::new(),
    };
    let declarations = reader.document(document.get_ref());
    let catalog = check::declarations(declarations, &mut reader);
    if reader.mistakes.is_empty() {
        Ok(catalog)
    } else {
        Err(reader.mistakes)
    }
}

/// A value and where it stands in the text.
#[derive(Debug, Clone)]
pub(crate) struct At<T> {
    pub(crate) value: T,
    pub(crate) span: Range<usize>,
}

/// The file, before names are looked up in each other.
#[derive(Debug, Default)]
pub(crate) struct Declarations {
    pub(crate) actions: Vec<ActionDeclaration>,
    pub(crate) targets: Vec<(At<String>, Vec<At<Field>>)>,
    pub(crate) actor: Vec<At<Field>>,
}

#[derive(Debug)]
pub(crate) struct ActionDeclaration {
    pub(crate) name: At<String>,
    pub(crate) summary: Option<At<String>>,
    /// `None` when the key is missing; a value that is no array has been reported, and is `Some`
    /// and empty.
    pub(crate) targets: Option<At<Vec<At<String>>>>,
    pub(crate) denied: Option<At<String>>,
    pub(crate) durable: bool,
    /// Where the key stands, and `None` for a value that has been reported.
    pub(crate) coalesce: Option<At<Option<Coalesce>>>,
    pub(crate) deprecated: Option<String>,
    pub(crate) metadata: Vec<At<Field>>,
}

/// Collects mistakes while the tree is walked.
pub(crate) struct Reader<'a> {
    pub(crate) text: &'a str,
    mistakes: Vec<Mistake>,
}

pub(crate) type Key<'a, 'i> = &'a Spanned<DeString<'i>>;
pub(crate) type Item<'a, 'i> = &'a Spanned<DeValue<'i>>;

impl Reader<'_> {
    pub(crate) fn mistake(&mut self, offset: usize, message: impl Into<String>) {
        self.mistakes.push(Mistake::new(self.text, offset, message));
    }

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
            self.mistake(
                key.span().start,
                format!("unknown key `{inner}`; a name that holds a dot is quoted: `[action.\"{outer}.{inner}\"]`"),
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
                "deprecated" => action.deprecated = self.remedy(key, item),
                "metadata" => action.metadata = self.fields(key, item),
                name => {
                    self.unknown_key(key, &ACTION_KEYS);
                    if nearest(name, ACTION_KEYS) == Some("targets") {
                        // They are there, under a name that has just been reported.
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

    /// What to write instead of a deprecated action. Empty, it would be a warning that helps
    /// nobody.
    fn remedy(&mut self, key: Key<'_, '_>, item: Item<'_, '_>) -> Option<String> {
        let text = self.string(key, item)?.value;
        if text.trim().is_empty() {
            let rule = "`deprecated` says what to write instead, as in `deprecated = \"use document.grant\"`";
            self.mistake(item.span().start, rule);
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
            self.mistake(
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

    /// The entries of a table in the order of the file; anything else is reported and counts as
    /// empty.
    pub(crate) fn table<'a, 'i>(
        &mut self,
        key: Key<'_, '_>,
        item: &'a Spanned<DeValue<'i>>,
    ) -> Vec<(Key<'a, 'i>, Item<'a, 'i>)> {
        match item.get_ref() {
            DeValue::Table(table) => in_order(table),
            other => {
                self.wrong_type(key, item, "a table", other);
                Vec::new()
            }
        }
    }

    pub(crate) fn string(&mut self, key: Key<'_, '_>, item: Item<'_, '_>) -> Option<At<String>> {
        match item.get_ref() {
            DeValue::String(text) => Some(At {
                value: text.to_string(),
                span: item.span(),
            }),
            other => {
                self.wrong_type(key, item, "a string", other);
                None
            }
        }
    }

    fn strings(&mut self, key: Key<'_, '_>, item: Item<'_, '_>) -> At<Vec<At<String>>> {
        let before = self.mistakes.len();
        let value: Vec<_> = match item.get_ref() {
            DeValue::Array(items) => items
                .iter()
                .filter_map(|item| self.string(key, item))
                .collect(),
            other => {
                self.wrong_type(key, item, "an array of strings", other);
                Vec::new()
            }
        };
        // Empty is a mistake of its own, unless it is empty because of one that was just reported.
        if value.is_empty() && self.mistakes.len() == before {
            self.mistake(item.span().start, check::NO_TARGETS);
        }
        At {
            value,
            span: item.span(),
        }
    }

    pub(crate) fn wrong_type(
        &mut self,
        key: Key<'_, '_>,
        item: Item<'_, '_>,
        wanted: &str,
        found: &DeValue<'_>,
    ) {
        let found = match found {
            DeValue::String(_) => "a string",
            DeValue::Integer(_) => "an integer",
            DeValue::Float(_) => "a float",
            DeValue::Boolean(_) => "a boolean",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "an array",
            DeValue::Table(_) => "a table",
        };
        self.mistake(
            item.span().start,
            format!("`{}` must be {wanted}, not {found}", key.get_ref()),
        );
    }

    pub(crate) fn unknown_key(&mut self, key: Key<'_, '_>, known: &[&str]) {
        let name = key.get_ref().as_ref();
        let hint = match nearest(name, known.iter().copied()) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("expected one of `{}`", known.join("`, `")),
        };
        self.mistake(key.span().start, format!("unknown key `{name}`; {hint}"));
    }
}

fn at(key: Key<'_, '_>) -> At<String> {
    At {
        value: key.get_ref().to_string(),
        span: key.span(),
    }
}

fn in_order<'a, 'i>(table: &'a DeTable<'i>) -> Vec<(Key<'a, 'i>, Item<'a, 'i>)> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    entries
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn mistakes(text: &str) -> Vec<String> {
        catalog(text)
            .unwrap_err()
            .iter()
            .map(Mistake::to_string)
            .collect()
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
                "3:1: unknown key `metadat`; did you mean `metadata`?",
                "5:1: unknown key `x`; expected one of `metadata`",
                "2:9: no action names the target type `t`",
            ]
        );
    }

    #[test]
    fn a_misspelt_key_is_not_missing_as_well() {
        assert_eq!(
            mistakes("[action.a]\ntarget = [\"t\"]"),
            ["2:1: unknown key `target`; did you mean `targets`?"]
        );
    }

    #[test]
    fn an_unquoted_name_is_recognised() {
        assert_eq!(
            mistakes("[action.document.share]\ntargets = [\"t\"]"),
            [
                "1:18: unknown key `share`; a name that holds a dot is quoted: `[action.\"document.share\"]`"
            ]
        );
    }

    #[test]
    fn values_of_a_wrong_type_say_what_is_wanted() {
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
    fn a_deprecation_names_a_remedy() {
        assert_eq!(
            mistakes("[action.a]\ntargets = [\"t\"]\ndeprecated = \" \""),
            [
                "3:14: `deprecated` says what to write instead, as in `deprecated = \"use document.grant\"`"
            ]
        );
    }

    #[test]
    fn duplicate_keys_are_reported_where_the_second_stands() {
        assert_eq!(
            mistakes("[action.a]\ntargets = [\"t\"]\ntargets = [\"u\"]"),
            ["3:1: invalid TOML: duplicate key"]
        );
    }

    #[test]
    fn syntax_errors_hide_the_rest() {
        let found = mistakes("[action.a]\ntargets = [\"t\"\n[nonsense]\n");
        assert!(
            found.iter().all(|mistake| mistake.contains("invalid TOML")),
            "{found:?}"
        );
    }

    proptest! {
        #[test]
        fn any_text_is_a_catalog_or_mistakes_that_stand_in_it(text in "([\\[\\]\"=.{}?\n a-z]|action|target|metadata|string|ä){0,60}") {
            if let Err(found) = catalog(&text) {
                prop_assert!(!found.is_empty());
                for mistake in found {
                    let line = text.split('\n').nth(mistake.line() - 1);
                    prop_assert!(line.is_some_and(|line| mistake.column() <= line.chars().count() + 1), "{mistake}");
                }
            }
        }
    }
}

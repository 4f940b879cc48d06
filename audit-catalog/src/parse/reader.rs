//! Reads values of the TOML tree, and reports those of a wrong type.

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use crate::declarations::{At, Mistakes, NO_TARGETS};
use crate::nearest::nearest;

pub(super) type Key<'a, 'i> = &'a Spanned<DeString<'i>>;
pub(super) type Item<'a, 'i> = &'a Spanned<DeValue<'i>>;

/// Walks the tree of one text and collects its mistakes.
pub(super) struct Reader<'m, 't> {
    pub(super) mistakes: &'m mut Mistakes<'t>,
}

impl Reader<'_, '_> {
    /// Returns the entries of a table in the order of the file. Another value is reported and
    /// counts as an empty table.
    pub(super) fn table<'a, 'i>(
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

    pub(super) fn string(&mut self, key: Key<'_, '_>, item: Item<'_, '_>) -> Option<At<String>> {
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

    pub(super) fn strings(&mut self, key: Key<'_, '_>, item: Item<'_, '_>) -> At<Vec<At<String>>> {
        let before = self.mistakes.count();
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
        // An empty list is a mistake, unless it is empty because of one that was just reported.
        if value.is_empty() && self.mistakes.count() == before {
            self.mistakes.add(item.span().start, NO_TARGETS);
        }
        At {
            value,
            span: item.span(),
        }
    }

    pub(super) fn wrong_type(
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
        self.mistakes.add(
            item.span().start,
            format!("`{}` must be {wanted}, not {found}", key.get_ref()),
        );
    }

    pub(super) fn unknown_key(&mut self, key: Key<'_, '_>, known: &[&str]) {
        let name = key.get_ref().as_ref();
        let hint = match nearest(name, known.iter().copied()) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("expected one of `{}`", known.join("`, `")),
        };
        self.mistakes
            .add(key.span().start, format!("unknown key `{name}`; {hint}"));
    }
}

pub(super) fn at(key: Key<'_, '_>) -> At<String> {
    At {
        value: key.get_ref().to_string(),
        span: key.span(),
    }
}

pub(super) fn in_order<'a, 'i>(table: &'a DeTable<'i>) -> Vec<(Key<'a, 'i>, Item<'a, 'i>)> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    entries
}

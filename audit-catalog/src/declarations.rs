//! The declarations of a file, each with its position in the text, before they are checked.

use std::ops::Range;

use crate::coalesce::Coalesce;
use crate::error::Mistake;
use crate::model::Field;

/// The message for an action without a target type; the parser and the checker both report it.
pub(crate) const NO_TARGETS: &str =
    "the action has no target type; name at least one, as in `targets = [\"document\"]`";

/// A value and its position in the text.
#[derive(Debug, Clone)]
pub(crate) struct At<T> {
    pub(crate) value: T,
    pub(crate) span: Range<usize>,
}

/// The content of the file; references between declarations are not resolved yet.
#[derive(Debug, Default)]
pub(crate) struct Declarations {
    pub(crate) actions: Vec<ActionDeclaration>,
    pub(crate) targets: Vec<(At<String>, Vec<At<Field>>)>,
    pub(crate) actor: Vec<At<Field>>,
}

/// One `[action."NAME"]`.
#[derive(Debug)]
pub(crate) struct ActionDeclaration {
    pub(crate) name: At<String>,
    pub(crate) summary: Option<At<String>>,
    /// `None` if the key is missing. Empty if the value was invalid and has been reported.
    pub(crate) targets: Option<At<Vec<At<String>>>>,
    pub(crate) denied: Option<At<String>>,
    pub(crate) durable: bool,
    /// The position of the key. The value is `None` if it was invalid and has been reported.
    pub(crate) coalesce: Option<At<Option<Coalesce>>>,
    pub(crate) deprecated: Option<String>,
    pub(crate) metadata: Vec<At<Field>>,
}

/// Collects the mistakes in one text, so that all are reported at once.
#[derive(Debug)]
pub(crate) struct Mistakes<'t> {
    text: &'t str,
    list: Vec<Mistake>,
}

impl<'t> Mistakes<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        Self {
            text,
            list: Vec::new(),
        }
    }

    /// The text that the offsets refer to.
    pub(crate) fn text(&self) -> &'t str {
        self.text
    }

    /// Adds a mistake at a byte offset of the text.
    pub(crate) fn add(&mut self, offset: usize, message: impl Into<String>) {
        self.list.push(Mistake::new(self.text, offset, message));
    }

    /// Adds the errors of the TOML parser.
    pub(crate) fn add_syntax(&mut self, errors: &[toml::de::Error]) {
        for error in errors {
            let offset = error.span().map_or(self.text.len(), |span| span.start);
            let message = error.message().replace('\n', "; ");
            self.add(offset, format!("invalid TOML: {message}"));
        }
    }

    /// The number of mistakes so far.
    pub(crate) fn count(&self) -> usize {
        self.list.len()
    }

    pub(crate) fn into_list(self) -> Vec<Mistake> {
        self.list
    }
}

//! Reads a catalog: from TOML text, by way of its declarations, to the checked model.

use std::path::Path;

use crate::check;
use crate::declarations::Mistakes;
use crate::error::CatalogError;
use crate::model::Catalog;
use crate::parse;

impl Catalog {
    /// Parses and checks the text of a catalog.
    ///
    /// `path` names the file in errors; nothing is read from it.
    ///
    /// # Errors
    /// [`CatalogError::mistakes`] lists every mistake in the text.
    pub fn parse(text: &str, path: impl AsRef<Path>) -> Result<Self, CatalogError> {
        let mut mistakes = Mistakes::new(text);
        let catalog = parse::document(&mut mistakes)
            .map(|declarations| check::declarations(declarations, &mut mistakes));
        match (catalog, mistakes.into_list()) {
            (Some(catalog), list) if list.is_empty() => Ok(catalog),
            (_, list) => Err(CatalogError::invalid(path.as_ref(), list)),
        }
    }

    /// Reads, parses and checks a catalog file, which must be UTF-8.
    ///
    /// # Errors
    /// If the file cannot be read ([`CatalogError::is_not_found`] distinguishes a missing file), or
    /// as [`Catalog::parse`].
    pub fn read(path: impl AsRef<Path>) -> Result<Self, CatalogError> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path)
            .map_err(|source| CatalogError::unreadable(path, source))?;
        Self::parse(&text, path)
    }
}

//! Reads sources for the crates that their public signatures name.
//!
//! The lint `unreachable_pub` keeps `pub` to what a user can name, so `pub` is read as public.
//! Names are resolved by the imports of their file. A foreign type behind a private alias is not
//! found, nor is one that only a `macro_rules!` names.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::Path;

use syn::visit::{self, Visit};
use syn::{Fields, ImplItem, Item, Type, UseTree, Visibility};

/// Crates whose derives and macros expand to `std` traits alone.
const MACROS_ONLY: [&str; 2] = ["pin_project_lite", "thiserror"];

/// The parsed sources of a crate, without tests and fuzzing.
#[derive(Default)]
pub(super) struct Sources {
    files: Vec<Vec<Item>>,
}

impl Sources {
    /// Reads every source of a folder. Panics on one that does not parse.
    pub(super) fn read(folder: &Path) -> Self {
        let mut sources = Self::default();
        sources.collect(folder);
        sources
    }

    fn collect(&mut self, folder: &Path) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let stem = path.file_stem().unwrap_or_default().to_string_lossy();
            if stem.ends_with("tests") || stem.starts_with("fuzzing") {
                continue;
            }
            if path.is_dir() {
                self.collect(&path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                self.add(&fs::read_to_string(&path).unwrap());
            }
        }
    }

    fn add(&mut self, text: &str) {
        let mut items = syn::parse_file(text).unwrap().items;
        flatten(&mut items);
        self.files.push(items);
    }
}

/// Puts the items of inline modules and of `pin_project!` beside the others.
fn flatten(items: &mut Vec<Item>) {
    let mut index = 0;
    while index < items.len() {
        let inner = match &items[index] {
            Item::Mod(module) if !is_for_tests(&module.attrs) => {
                module.content.as_ref().map(|(_, items)| items.clone())
            }
            Item::Macro(call) if call.mac.path.is_ident("pin_project") => {
                let file: syn::File = syn::parse2(call.mac.tokens.clone()).unwrap();
                Some(file.items)
            }
            _ => None,
        };
        items.extend(inner.into_iter().flatten());
        index += 1;
    }
}

fn is_for_tests(attributes: &[syn::Attribute]) -> bool {
    let is_test = |attribute: &syn::Attribute| match &attribute.meta {
        syn::Meta::List(list) => list.path.is_ident("cfg") && list.tokens.to_string() == "test",
        _ => false,
    };
    attributes.iter().any(is_test)
}

/// Returns those of the dependencies that public signatures name.
pub(super) fn foreign(sources: &Sources, dependencies: &BTreeSet<String>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let private = private_names(sources);
    for items in &sources.files {
        let mut reader = Reader {
            dependencies,
            imports: HashMap::new(),
            private: &private,
            found: BTreeSet::new(),
        };
        for item in items {
            if let Item::Use(import) = item {
                reader.import(&import.tree, &mut Vec::new());
            }
        }
        for item in items {
            reader.item(item);
        }
        found.extend(reader.found);
    }
    for name in MACROS_ONLY {
        found.remove(name);
    }
    found
}

/// The names of types and traits that no file declares as `pub`.
fn private_names(sources: &Sources) -> BTreeSet<String> {
    let mut private = BTreeSet::new();
    let mut public = BTreeSet::new();
    for item in sources.files.iter().flatten() {
        let (visibility, name) = match item {
            Item::Enum(item) => (&item.vis, &item.ident),
            Item::Struct(item) => (&item.vis, &item.ident),
            Item::Trait(item) => (&item.vis, &item.ident),
            Item::Type(item) => (&item.vis, &item.ident),
            _ => continue,
        };
        let names = if is_public(visibility) {
            &mut public
        } else {
            &mut private
        };
        names.insert(name.to_string());
    }
    &private - &public
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

struct Reader<'a> {
    dependencies: &'a BTreeSet<String>,
    /// The dependency from which the file imports a name.
    imports: HashMap<String, String>,
    private: &'a BTreeSet<String>,
    found: BTreeSet<String>,
}

impl Reader<'_> {
    fn import(&mut self, tree: &UseTree, path: &mut Vec<String>) {
        match tree {
            UseTree::Path(step) => {
                path.push(step.ident.to_string());
                self.import(&step.tree, path);
                path.pop();
            }
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.import(tree, path);
                }
            }
            UseTree::Name(name) => self.imported(&name.ident.to_string(), path),
            UseTree::Rename(rename) => self.imported(&rename.rename.to_string(), path),
            UseTree::Glob(_) => {}
        }
    }

    fn imported(&mut self, name: &str, path: &[String]) {
        let Some(start) = path.first() else { return };
        // `use metrics::counter` of a dependency; `use crate::metrics` is none.
        let start = if self.dependencies.contains(start) {
            start.clone()
        } else {
            String::new()
        };
        let name = if name == "self" {
            path.last().cloned().unwrap_or_default()
        } else {
            name.to_owned()
        };
        self.imports.insert(name, start);
    }

    fn item(&mut self, item: &Item) {
        match item {
            Item::Const(item) if is_public(&item.vis) => self.visit_type(&item.ty),
            Item::Static(item) if is_public(&item.vis) => self.visit_type(&item.ty),
            Item::Fn(item) if is_public(&item.vis) => self.visit_signature(&item.sig),
            Item::Type(item) if is_public(&item.vis) => visit::visit_item_type(self, item),
            Item::Trait(item) if is_public(&item.vis) => {
                let mut item = item.clone();
                for inner in &mut item.items {
                    if let syn::TraitItem::Fn(function) = inner {
                        function.default = None;
                    }
                }
                visit::visit_item_trait(self, &item);
            }
            Item::Struct(item) if is_public(&item.vis) => {
                self.derives(&item.attrs);
                self.visit_generics(&item.generics);
                self.fields(&item.fields, false);
            }
            Item::Enum(item) if is_public(&item.vis) => {
                self.derives(&item.attrs);
                self.visit_generics(&item.generics);
                for variant in &item.variants {
                    self.fields(&variant.fields, true);
                }
            }
            Item::Use(item) if is_public(&item.vis) => self.exported(&item.tree),
            Item::Impl(item) if !self.is_private(&item.self_ty) => self.implementation(item),
            _ => {}
        }
    }

    fn derives(&mut self, attributes: &[syn::Attribute]) {
        for attribute in attributes
            .iter()
            .filter(|attribute| attribute.path().is_ident("derive"))
        {
            let visited = attribute.parse_nested_meta(|meta| {
                self.visit_path(&meta.path);
                Ok(())
            });
            visited.unwrap();
        }
    }

    fn fields(&mut self, fields: &Fields, all: bool) {
        for field in fields.iter().filter(|field| all || is_public(&field.vis)) {
            self.visit_type(&field.ty);
        }
    }

    fn exported(&mut self, tree: &UseTree) {
        match tree {
            UseTree::Path(step) => self.start(&step.ident.to_string()),
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.exported(tree)),
            _ => {}
        }
    }

    /// Returns whether a type is one of ours that a user cannot name.
    fn is_private(&self, of: &Type) -> bool {
        match of {
            Type::Path(path) => {
                let name = path.path.segments.last().map(|last| last.ident.to_string());
                name.is_some_and(|name| self.private.contains(&name))
            }
            Type::Reference(reference) => self.is_private(&reference.elem),
            _ => false,
        }
    }

    fn implementation(&mut self, item: &syn::ItemImpl) {
        if let Some((path, _)) = &item.trait_ {
            let name = path.segments.last().map(|last| last.ident.to_string());
            if name.is_some_and(|name| self.private.contains(&name)) {
                return;
            }
            self.visit_path(path);
            self.visit_type(&item.self_ty);
            self.visit_generics(&item.generics);
            for inner in &item.items {
                if let ImplItem::Type(inner) = inner {
                    self.visit_type(&inner.ty);
                }
            }
            return;
        }
        for inner in &item.items {
            match inner {
                ImplItem::Fn(function) if is_public(&function.vis) => {
                    self.visit_generics(&item.generics);
                    self.visit_signature(&function.sig);
                }
                ImplItem::Const(constant) if is_public(&constant.vis) => {
                    self.visit_type(&constant.ty);
                }
                _ => {}
            }
        }
    }

    /// Notes the crate that a path begins with.
    fn start(&mut self, segment: &str) {
        let imported = self.imports.get(segment).map(String::as_str);
        let name = imported.unwrap_or(segment);
        if self.dependencies.contains(name) {
            self.found.insert(name.to_owned());
        }
    }
}

impl Visit<'_> for Reader<'_> {
    fn visit_path(&mut self, path: &syn::Path) {
        if let Some(first) = path.segments.first() {
            self.start(&first.ident.to_string());
        }
        visit::visit_path(self, path);
    }

    fn visit_attribute(&mut self, _: &syn::Attribute) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn public(text: &str) -> Vec<String> {
        let mut sources = Sources::default();
        sources.add(text);
        let dependencies = ["http", "serde", "reqwest"].map(str::to_owned).into();
        foreign(&sources, &dependencies).into_iter().collect()
    }

    #[test]
    fn crates_of_public_signatures_are_found() {
        for text in [
            "pub fn f(request: &http::Request<()>) {}",
            "use http::Request as R; pub fn f() -> Option<R<()>> { None }",
            "use http::{StatusCode, self}; pub struct S { pub status: StatusCode }",
            "pub struct S; impl S { pub fn f(_: impl Into<http::Uri>) {} }",
            "pub struct S; impl From<http::Error> for S { }",
            "pub trait Ours {} impl Ours for http::StatusCode {}",
            "pub enum E { A(http::StatusCode) }",
            "pub trait T { type A: Into<http::Uri>; }",
            "pub use http::StatusCode;",
            "use http::Marker; #[derive(Debug, Marker)] pub struct S;",
            "pin_project! { pub struct S<F> where F: Into<http::Uri> { #[pin] f: F } }",
            "pub mod m { pub fn f(_: http::Uri) {} }",
        ] {
            assert_eq!(public(text), ["http"], "{text}");
        }
    }

    #[test]
    fn what_a_user_cannot_name_is_not_counted() {
        for text in [
            "pub(crate) fn f(_: http::Uri) {}",
            "pub struct S { uri: http::Uri }",
            "pub struct S; impl S { fn f(_: http::Uri) {} pub fn g() { let _: http::Uri; } }",
            "struct S; impl From<http::Error> for S { }",
            "trait Ours {} impl Ours for http::StatusCode {}",
            "use crate::http::Uri; pub fn f(_: Uri) {}",
            "#[cfg(test)] mod tests { pub fn f(_: http::Uri) {} }",
        ] {
            assert_eq!(public(text), [""; 0], "{text}");
        }
    }
}

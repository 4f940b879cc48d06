//! The modules of a crate, and the files that its paths lead to.

use std::collections::{BTreeMap, BTreeSet};

use syn::Item;

use super::references::{Reference, Syntax, is_test, references};
use crate::error::Error;

/// The text of each file of a crate, by its path from `src`.
pub(super) type Files = BTreeMap<String, String>;

/// The limit of re-exports that are followed for one name, which ends names that lead to
/// themselves.
const MAX_REEXPORTS: u32 = 16;

/// A crate as a tree of modules; test code is left out.
#[derive(Debug)]
pub(super) struct Krate {
    /// The paths of the files; the first is the root.
    pub(super) files: Vec<String>,
    /// The first is the root.
    pub(super) modules: Vec<Module>,
}

/// One module; several can be in one file.
#[derive(Debug)]
pub(super) struct Module {
    /// From the root, without `crate`.
    pub(super) path: Vec<String>,
    pub(super) file: usize,
    pub(super) references: Vec<Reference>,
    parent: Option<usize>,
    children: BTreeMap<String, usize>,
    /// The names that it defines.
    items: BTreeSet<String>,
    /// The names that it imports, with the paths that they abbreviate.
    aliases: BTreeMap<String, Vec<String>>,
    globs: Vec<Vec<String>>,
}

/// The definition that a path leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    Module(usize),
    /// An item of this module.
    ItemOf(usize),
}

impl Krate {
    /// Parses the files that the root file leads to.
    pub(super) fn parse(root: &str, files: &Files) -> Result<Self, Error> {
        let mut krate = Self {
            files: Vec::new(),
            modules: Vec::new(),
        };
        krate.add_file(root, Vec::new(), None, "", files)?;
        Ok(krate)
    }

    fn add_file(
        &mut self,
        file: &str,
        path: Vec<String>,
        parent: Option<usize>,
        folder: &str,
        files: &Files,
    ) -> Result<usize, Error> {
        let text = files.get(file).map_or("", String::as_str);
        let parsed = syn::parse_file(text)
            .map_err(|error| Error::Finding(format!("{file} is not parsed: {error}")))?;
        self.files.push(file.to_owned());
        self.add_module(
            self.files.len() - 1,
            path,
            parent,
            folder,
            parsed.items,
            files,
        )
    }

    fn add_module(
        &mut self,
        file: usize,
        path: Vec<String>,
        parent: Option<usize>,
        folder: &str,
        items: Vec<Item>,
        files: &Files,
    ) -> Result<usize, Error> {
        let this = self.modules.len();
        self.modules.push(Module {
            path: path.clone(),
            file,
            references: Vec::new(),
            parent,
            children: BTreeMap::new(),
            items: BTreeSet::new(),
            aliases: BTreeMap::new(),
            globs: Vec::new(),
        });
        for item in items {
            self.modules[this].add(&item);
            let Item::Mod(item) = item else { continue };
            let has_own_path = item
                .attrs
                .iter()
                .any(|attribute| attribute.path().is_ident("path"));
            if is_test(&item.attrs) || has_own_path {
                continue;
            }
            let name = item.ident.to_string();
            let path = [&path[..], std::slice::from_ref(&name)].concat();
            let inner = format!("{folder}{name}/");
            let child = match item.content {
                Some((_, items)) => {
                    self.add_module(file, path, Some(this), &inner, items, files)?
                }
                None => {
                    let candidates = [format!("{folder}{name}.rs"), format!("{inner}mod.rs")];
                    let found = candidates.iter().find(|path| files.contains_key(*path));
                    let Some(found) = found else { continue };
                    self.add_file(found, path, Some(this), &inner, files)?
                }
            };
            self.modules[this].children.insert(name, child);
        }
        Ok(this)
    }

    /// Returns the definition that a path in a module leads to, through all re-exports; `None` if
    /// it is not of this crate.
    pub(super) fn resolve(&self, from: usize, path: &[String]) -> Option<Target> {
        self.follow(from, path, MAX_REEXPORTS)
    }

    /// Returns the name that a path in a module takes from the root, if the root only re-exports
    /// it, with the path that the root has for it.
    pub(super) fn reexport_of_root(
        &self,
        from: usize,
        path: &[String],
    ) -> Option<(String, String)> {
        let (start, rest) = self.start(from, path)?;
        let name = rest.first()?;
        let root = &self.modules[0];
        let is_own = root.children.contains_key(name) || root.items.contains(name);
        if start != 0 || self.modules[from].file == root.file || is_own {
            return None;
        }
        let known_as = root.aliases.get(name)?;
        Some((name.clone(), known_as.join("::")))
    }

    /// Returns `true` if `folder` is the module or one of those that it is in.
    pub(super) fn is_within(&self, module: usize, folder: usize) -> bool {
        self.modules[module]
            .path
            .starts_with(&self.modules[folder].path)
    }

    pub(super) fn has_children(&self, module: usize) -> bool {
        !self.modules[module].children.is_empty()
    }

    /// Returns the names of the modules below the root.
    pub(super) fn rooms(&self) -> impl Iterator<Item = &str> {
        self.modules[0].children.keys().map(String::as_str)
    }

    /// Returns the module that the keywords before a path lead to, and the path without them.
    fn start<'a>(&self, from: usize, path: &'a [String]) -> Option<(usize, &'a [String])> {
        let (mut module, mut rest) = match path.first()?.as_str() {
            "crate" => (0, &path[1..]),
            "self" => (from, &path[1..]),
            "super" => (from, path),
            _ => return None,
        };
        while rest.first().is_some_and(|first| first == "super") {
            (module, rest) = (self.modules[module].parent?, &rest[1..]);
        }
        Some((module, rest))
    }

    fn follow(&self, from: usize, path: &[String], reexports: u32) -> Option<Target> {
        let (mut module, rest) = self.start(from, path).unwrap_or((from, path));
        for (at, name) in rest.iter().enumerate() {
            let is_last = at + 1 == rest.len();
            match self.lookup(module, name, is_last, reexports)? {
                Target::Module(found) => module = found,
                // What follows is a variant or an associated item.
                item @ Target::ItemOf(_) => return Some(item),
            }
        }
        Some(Target::Module(module))
    }

    fn lookup(&self, module: usize, name: &str, is_last: bool, reexports: u32) -> Option<Target> {
        let reexports = reexports.checked_sub(1)?;
        let known = &self.modules[module];
        let child = || known.children.get(name).map(|child| Target::Module(*child));
        let item = || known.items.contains(name).then_some(Target::ItemOf(module));
        // One name can be that of a module and that of a function.
        let own = if is_last {
            item().or_else(child)
        } else {
            child().or_else(item)
        };
        let alias = || {
            let path = known.aliases.get(name)?;
            self.follow(module, path, reexports)
        };
        let glob = || {
            known
                .globs
                .iter()
                .find_map(|path| match self.follow(module, path, reexports)? {
                    Target::Module(found) if found != module => {
                        self.lookup(found, name, is_last, reexports)
                    }
                    _ => None,
                })
        };
        own.or_else(alias).or_else(glob)
    }
}

impl Module {
    fn add(&mut self, item: &Item) {
        let name = match item {
            Item::Const(item) => Some(&item.ident),
            Item::Enum(item) => Some(&item.ident),
            Item::Fn(item) => Some(&item.sig.ident),
            Item::Macro(item) => item.ident.as_ref(),
            Item::Static(item) => Some(&item.ident),
            Item::Struct(item) => Some(&item.ident),
            Item::Trait(item) => Some(&item.ident),
            Item::Type(item) => Some(&item.ident),
            Item::Union(item) => Some(&item.ident),
            _ => None,
        };
        self.items.extend(name.map(ToString::to_string));
        for reference in references(item) {
            if let Some(alias) = &reference.alias {
                self.aliases.insert(alias.clone(), reference.path.clone());
            }
            if reference.is_glob && reference.syntax != Syntax::Inline {
                self.globs.push(reference.path.clone());
            }
            self.references.push(reference);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn krate(files: &[(&str, &str)]) -> Krate {
        let files = files
            .iter()
            .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
            .collect();
        Krate::parse("lib.rs", &files).unwrap()
    }

    fn file_of(krate: &Krate, from: &str, path: &str) -> Option<String> {
        let path: Vec<_> = path.split("::").map(str::to_owned).collect();
        let is_from = |module: &Module| module.path.join("::") == from;
        let from = krate.modules.iter().position(is_from).unwrap();
        let (Target::Module(found) | Target::ItemOf(found)) = krate.resolve(from, &path)?;
        Some(krate.files[krate.modules[found].file].clone())
    }

    #[test]
    fn paths_lead_through_reexports_to_the_defining_file() {
        let krate = krate(&[
            ("lib.rs", "mod a; mod b; pub use a::Deep; use std::fmt;"),
            (
                "a/mod.rs",
                "mod deep; mod more; pub use self::deep::Deep; pub use more::*;",
            ),
            ("a/deep.rs", "pub struct Deep;"),
            ("a/more.rs", "pub enum More { One }"),
            (
                "b.rs",
                "use crate::a; use super::Deep as Other; mod inner { pub fn f() {} }",
            ),
        ]);
        let deep = Some("a/deep.rs".to_owned());
        for path in [
            "crate::Deep",
            "crate::a::Deep",
            "super::a::Deep",
            "a::Deep::new",
            "Other::new",
        ] {
            assert_eq!(file_of(&krate, "b", path), deep, "{path}");
        }
        assert_eq!(
            file_of(&krate, "b", "a::More::One"),
            Some("a/more.rs".to_owned())
        );
        assert_eq!(file_of(&krate, "b", "inner::f"), Some("b.rs".to_owned()));
        assert_eq!(file_of(&krate, "b", "crate::fmt::Debug"), None);
        assert_eq!(file_of(&krate, "b", "Self::new"), None);
    }

    #[test]
    fn only_reexports_go_through_the_root() {
        let krate = krate(&[
            (
                "lib.rs",
                "mod a; pub use a::A; pub use other::B; pub struct C;",
            ),
            ("a.rs", "pub struct A;"),
        ]);
        let through = |path: &str| {
            let path: Vec<_> = path.split("::").map(str::to_owned).collect();
            krate.reexport_of_root(1, &path)
        };
        assert_eq!(
            through("crate::A"),
            Some(("A".to_owned(), "a::A".to_owned()))
        );
        assert_eq!(
            through("super::B"),
            Some(("B".to_owned(), "other::B".to_owned()))
        );
        for other in ["crate::a::A", "crate::C", "crate::some_macro", "A::new"] {
            assert_eq!(through(other), None, "{other}");
        }
    }

    #[test]
    fn names_that_lead_to_themselves_lead_nowhere() {
        let krate = krate(&[("lib.rs", "use a::b; use b::a;")]);
        assert_eq!(file_of(&krate, "", "crate::a::c"), None);
    }
}

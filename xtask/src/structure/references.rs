//! Collects the paths by which the items of a module refer to others.

use proc_macro2::{Spacing, TokenStream, TokenTree};
use syn::punctuated::Punctuated;
use syn::visit::Visit;
use syn::{Attribute, ImplItem, Item, ItemMod, ItemUse, Meta, Token, UseTree, Visibility};

/// The syntax that a path was written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Syntax {
    /// `use`, for this module alone.
    Import,
    /// `pub use`, or with a narrower visibility.
    Reexport,
    /// Anywhere else: a type, an expression, the tokens of a macro.
    Inline,
}

/// One path, as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reference {
    pub(super) path: Vec<String>,
    pub(super) syntax: Syntax,
    /// Ends with `::*`, which `path` leaves out.
    pub(super) is_glob: bool,
    /// The name under which an import is known from then on; `None` for `_` and for a glob.
    pub(super) alias: Option<String>,
}

/// Returns the paths of one item, but not of its test code. The module of a `mod` item is not
/// entered.
pub(super) fn references(item: &Item) -> Vec<Reference> {
    let mut collector = Collector::default();
    collector.visit_item(item);
    collector.found
}

/// Returns whether an item is compiled for tests alone.
pub(super) fn is_test(attributes: &[Attribute]) -> bool {
    attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("cfg"))
        .any(|attribute| attribute.parse_args().is_ok_and(|meta| needs_test(&meta)))
}

fn needs_test(meta: &Meta) -> bool {
    let nested = |list: &syn::MetaList| {
        let parsed = list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated);
        parsed.map(|nested| nested.into_iter().collect::<Vec<_>>())
    };
    match meta {
        Meta::Path(path) => path.is_ident("test"),
        Meta::List(list) if list.path.is_ident("all") => {
            nested(list).is_ok_and(|nested| nested.iter().any(needs_test))
        }
        Meta::List(list) if list.path.is_ident("any") => {
            nested(list).is_ok_and(|nested| nested.iter().all(needs_test))
        }
        _ => false,
    }
}

/// Returns the attributes of an item, as far as it is of a kind that has paths in it.
fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Union(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

#[derive(Debug, Default)]
struct Collector {
    found: Vec<Reference>,
}

impl Collector {
    fn inline(&mut self, path: Vec<String>) {
        if path.len() > 1 {
            self.found.push(Reference {
                path,
                syntax: Syntax::Inline,
                is_glob: false,
                alias: None,
            });
        }
    }

    fn import(&mut self, tree: &UseTree, syntax: Syntax, before: &[String]) {
        let with = |name: &syn::Ident| [before, &[name.to_string()]].concat();
        let mut add = |path: Vec<String>, alias: Option<String>, is_glob| {
            self.found.push(Reference {
                path,
                syntax,
                is_glob,
                alias,
            });
        };
        match tree {
            UseTree::Path(path) => self.import(&path.tree, syntax, &with(&path.ident)),
            UseTree::Name(name) if name.ident == "self" => {
                add(before.to_vec(), before.last().cloned(), false);
            }
            UseTree::Name(name) => add(with(&name.ident), Some(name.ident.to_string()), false),
            UseTree::Rename(name) => {
                let path = if name.ident == "self" {
                    before.to_vec()
                } else {
                    with(&name.ident)
                };
                let alias = (name.rename != "_").then(|| name.rename.to_string());
                add(path, alias, false);
            }
            UseTree::Glob(_) => add(before.to_vec(), None, true),
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.import(tree, syntax, before);
                }
            }
        }
    }

    /// Finds the paths in what a macro is given. Paths behind `$` are those of the macro's caller,
    /// or of its own crate by whichever name a caller has for it.
    fn tokens(&mut self, tokens: TokenStream) {
        let tokens: Vec<_> = tokens.into_iter().collect();
        let is_separator = |at: usize| {
            matches!(tokens.get(at..), Some([TokenTree::Punct(first), TokenTree::Punct(second), ..])
                if first.as_char() == ':' && first.spacing() == Spacing::Joint && second.as_char() == ':')
        };
        let is_start = |at: usize| match at.checked_sub(1).map(|before| &tokens[before]) {
            Some(TokenTree::Punct(before)) if before.as_char() == '$' => false,
            // A single colon is that of a type or a field.
            Some(TokenTree::Punct(before)) if before.as_char() == ':' => {
                !at.checked_sub(2).is_some_and(is_separator)
            }
            _ => true,
        };
        let mut at = 0;
        while at < tokens.len() {
            match &tokens[at] {
                TokenTree::Group(group) => self.tokens(group.stream()),
                TokenTree::Ident(first) => {
                    let mut path = vec![first.to_string()];
                    let start = at;
                    while is_separator(at + 1)
                        && let Some(TokenTree::Ident(next)) = tokens.get(at + 3)
                    {
                        path.push(next.to_string());
                        at += 3;
                    }
                    if is_start(start) {
                        self.inline(path);
                    }
                }
                _ => {}
            }
            at += 1;
        }
    }
}

impl<'ast> Visit<'ast> for Collector {
    fn visit_item(&mut self, item: &'ast Item) {
        if !is_test(attributes(item)) {
            syn::visit::visit_item(self, item);
        }
    }

    fn visit_item_mod(&mut self, _: &'ast ItemMod) {}

    fn visit_impl_item(&mut self, item: &'ast ImplItem) {
        let attributes = match item {
            ImplItem::Const(item) => &item.attrs[..],
            ImplItem::Fn(item) => &item.attrs,
            ImplItem::Type(item) => &item.attrs,
            _ => &[],
        };
        if !is_test(attributes) {
            syn::visit::visit_impl_item(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        // Such a path names another crate.
        if item.leading_colon.is_none() {
            let syntax = match item.vis {
                Visibility::Inherited => Syntax::Import,
                _ => Syntax::Reexport,
            };
            self.import(&item.tree, syntax, &[]);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.leading_colon.is_none() {
            let segments = path.segments.iter();
            self.inline(segments.map(|segment| segment.ident.to_string()).collect());
        }
        syn::visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.tokens(call.tokens.clone());
    }

    fn visit_visibility(&mut self, _: &'ast Visibility) {}

    fn visit_attribute(&mut self, _: &'ast Attribute) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(source: &str) -> Vec<String> {
        let file = syn::parse_file(source).unwrap();
        let all = file.items.iter().flat_map(references);
        all.map(|found| found.path.join("::")).collect()
    }

    #[test]
    fn imports_are_taken_apart() {
        let file = syn::parse_file("pub(crate) use crate::a::{self, B as C, d::*};").unwrap();
        let found = references(&file.items[0]);
        let paths: Vec<_> = found
            .iter()
            .map(|found| (found.path.join("::"), found.alias.as_deref(), found.is_glob))
            .collect();
        let expected = [
            ("crate::a".to_owned(), Some("a"), false),
            ("crate::a::B".to_owned(), Some("C"), false),
            ("crate::a::d".to_owned(), None, true),
        ];
        assert_eq!(paths, expected);
        assert!(found.iter().all(|found| found.syntax == Syntax::Reexport));
    }

    #[test]
    fn paths_of_types_bodies_and_macros_are_found() {
        let source = "fn a(b: crate::b::B<super::C>) { crate::d::e(); warn!(f: crate::g::h(1), i.j, ::k::l, ..super::m::N) }";
        let expected = [
            "crate::b::B",
            "super::C",
            "crate::d::e",
            "crate::g::h",
            "super::m::N",
        ];
        assert_eq!(paths(source), expected);
        let rules = "macro_rules! a { () => { $crate::b::c(); crate::d::e() } }";
        assert_eq!(paths(rules), ["crate::d::e"]);
    }

    #[test]
    fn test_code_is_left_out() {
        for test in ["test", "all(unix, test)", "any(all(test, unix), test)"] {
            let source = format!("#[cfg({test})] use crate::a;\n#[cfg({test})] mod b;");
            assert_eq!(paths(&source), [] as [&str; 0], "{test}");
        }
        for other in ["not(test)", "any(test, feature = \"testing\")", "unix"] {
            assert_eq!(
                paths(&format!("#[cfg({other})] use crate::a;")),
                ["crate::a"]
            );
        }
        let source = "impl A { #[cfg(test)] fn a() { crate::a::b() } fn c() { crate::d::e() } }";
        assert_eq!(paths(source), ["crate::d::e"]);
    }
}

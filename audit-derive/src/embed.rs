//! Expands `catalog!`: an embedded catalog with its lock, or a module of action constants.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use audit_catalog::{Action, Coalesce, CoalesceBy, Field, Kind, Lock, lock_path};
use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Token, Visibility};

use crate::audited::explain::explain;
use crate::catalog::{Found, Problem, shown};
use crate::errors::Errors;
use crate::function_like;

/// The action of the sample catalog in the error for a missing one.
const SAMPLE: &str = "document.delete";

/// Expands the macro; `input` is the facade, a comma, and the arguments.
///
/// Without arguments it is an expression, with `pub mod actions;` an item.
pub(crate) fn expand(input: TokenStream, catalog: &Result<Found, Problem>) -> TokenStream {
    let (facade, input) = function_like::split(input);
    if input.is_empty() {
        return match expression(&facade, catalog) {
            Ok(expression) => expression,
            Err(errors) => errors.into_expression(),
        };
    }
    let mut errors = Errors::default();
    let module = match module.parse2(input) {
        Ok(module) => module,
        Err(error) => {
            errors.push(error);
            return errors.into_tokens();
        }
    };
    match catalog {
        Ok(found) => constants(&module, &facade, found),
        Err(problem) => {
            errors.at(module.name.span(), explain(problem, SAMPLE, &[]));
            // An empty module, so that uses of its constants report the constant and not the
            // module.
            let Module {
                attributes,
                visibility,
                name,
            } = module;
            let mut tokens = errors.into_tokens();
            tokens.extend(quote!(#(#attributes)* #visibility mod #name {}));
            tokens
        }
    }
}

struct Module {
    attributes: Vec<Attribute>,
    visibility: Visibility,
    name: Ident,
}

fn module(input: ParseStream<'_>) -> syn::Result<Module> {
    let read = |input: ParseStream<'_>| {
        let module = Module {
            attributes: Attribute::parse_outer(input)?,
            visibility: input.parse()?,
            name: {
                input.parse::<Token![mod]>()?;
                input.parse()?
            },
        };
        input.parse::<Token![;]>()?;
        if input.is_empty() {
            Ok(module)
        } else {
            Err(input.error(""))
        }
    };
    read(input).map_err(|error| {
        let forms = "`catalog!()` is the embedded catalog, `catalog! { pub mod actions; }` a module with its constants";
        syn::Error::new(error.span(), forms)
    })
}

/// Expands to a module with a constant for each action.
fn constants(module: &Module, facade: &TokenStream, found: &Found) -> TokenStream {
    let ours = Span::mixed_site();
    let Module {
        attributes,
        visibility,
        name,
    } = module;
    let watch = function_like::watch([found.path.as_str()]);
    let constants = found.catalog.actions().map(|action| {
        let value = action.name();
        // Not hygienic, because the user's code names it.
        let constant = Ident::new(&action.constant(), name.span());
        let targets: Vec<_> = action
            .targets()
            .iter()
            .map(|target| format!("`{}`", target.name()))
            .collect();
        let mut text = format!("`{value}`, on {}.", targets.join(", "));
        if let Some(summary) = action.summary() {
            text = format!("{summary}\n\n{text}");
        }
        let deprecated = action
            .deprecated()
            .map(|note| quote!(#[deprecated(note = #note)]));
        quote! {
            #[doc = #text]
            #deprecated
            pub const #constant: #facade::Action = #facade::private::Action::checked(#value);
        }
    });
    let head = quote!(#(#attributes)* #visibility mod #name);
    quote_spanned! {ours=>
        #[allow(dead_code, unreachable_pub, reason = "one constant for each action of the catalog, used or not")]
        #head {
            #watch
            #(#constants)*
        }
    }
}

/// Expands to an expression: the catalog and its lock as constants.
fn expression(
    facade: &TokenStream,
    catalog: &Result<Found, Problem>,
) -> Result<TokenStream, Errors> {
    let here = |message: String| {
        let mut errors = Errors::default();
        errors.at(Span::call_site(), message);
        errors
    };
    let found = catalog
        .as_ref()
        .map_err(|problem| here(explain(problem, SAMPLE, &[])))?;
    let lock = read_lock(Path::new(&found.path)).map_err(here)?;
    let lock_path = lock.as_ref().and_then(|(path, _)| path.to_str());
    let watch = function_like::watch([found.path.as_str()].into_iter().chain(lock_path));
    let lock = lock.map(|(_, lock)| lock).unwrap_or_default();

    let parts = quote_spanned!(Span::mixed_site()=> #facade::private::catalog);
    let actions = found
        .catalog
        .actions()
        .map(|action| embedded(action, &parts));
    let actor = found
        .catalog
        .actions()
        .next()
        .map_or(&[][..], Action::actor_metadata);
    let actor = fields(actor, &parts);
    let environments = lock.environments().map(|environment| {
        let versions = lock.actions(environment).map(|(action, locked)| {
            let version = locked.version().get();
            quote!((#action, #version))
        });
        quote!((#environment, const { &[#(#versions),*] }))
    });
    Ok(quote_spanned! {Span::mixed_site()=>
        {
            #watch
            #parts::EmbeddedCatalog::new(const { &[#(#actions),*] }, #actor, const { &[#(#environments),*] })
        }
    })
}

/// The lock beside a catalog; `audit.lock` beside `audit.toml`.
fn read_lock(catalog: &Path) -> Result<Option<(PathBuf, Lock)>, String> {
    let path = lock_path(catalog);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(format!("read {}: {error}", shown(&path))),
    };
    match Lock::parse(&text, shown(&path)) {
        Ok(lock) => Ok(Some((path, lock))),
        Err(error) => Err(format!(
            "the lock of the audit catalog has mistakes:\n{error}"
        )),
    }
}

fn embedded(action: &Action, parts: &TokenStream) -> TokenStream {
    let name = action.name();
    let targets = action.targets().iter().map(|target| {
        let (name, metadata) = (target.name(), fields(target.metadata(), parts));
        quote!(#parts::EmbeddedTarget::new(#name, #metadata))
    });
    let (durable, metadata) = (action.is_durable(), fields(action.metadata(), parts));
    let [summary, denied, deprecated] =
        [action.summary(), action.denied(), action.deprecated()].map(option);
    let coalesced = action.coalesce().map(|coalesce| coalesced(coalesce, parts));
    quote! {
        #parts::EmbeddedAction::new(#name, #summary, const { &[#(#targets),*] }, #denied, #durable, #deprecated, #metadata) #coalesced
    }
}

fn coalesced(coalesce: &Coalesce, parts: &TokenStream) -> TokenStream {
    let by = coalesce.by().iter().map(|by| {
        let variant = match by {
            CoalesceBy::Actor => "Actor",
            CoalesceBy::Target => "Target",
            CoalesceBy::Location => "Location",
            _ => "Outcome",
        };
        let variant = format_ident!("{variant}");
        quote!(#parts::CoalesceBy::#variant)
    });
    let seconds = coalesce.window().as_secs();
    quote!(.coalesced(#parts::EmbeddedCoalesce::new(const { &[#(#by),*] }, #seconds)))
}

fn fields(fields: &[Field], parts: &TokenStream) -> TokenStream {
    let fields = fields.iter().map(|field| {
        let kind = match field.kind() {
            Kind::Number => "Number",
            Kind::Boolean => "Boolean",
            _ => "Text",
        };
        let (key, kind, optional) = (field.key(), format_ident!("{kind}"), field.is_optional());
        quote!(#parts::EmbeddedField::new(#key, #parts::FieldKind::#kind, #optional))
    });
    quote!(const { &[#(#fields),*] })
}

fn option(text: Option<&str>) -> TokenStream {
    match text {
        Some(text) => quote!(::core::option::Option::Some(#text)),
        None => quote!(::core::option::Option::None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALID: &str = "[action.\"a.b\"]\ntargets = [\"t\"]\nsummary = \"{actor}\"\n[action.old]\ntargets = [\"t\"]\ndeprecated = \"use a.b\"";

    fn found(lock: Option<&str>) -> (tempfile::TempDir, Result<Found, Problem>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.toml");
        fs::write(&path, VALID).unwrap();
        if let Some(lock) = lock {
            fs::write(folder.path().join("audit.lock"), lock).unwrap();
        }
        let found = Found {
            catalog: audit_catalog::Catalog::parse(VALID, "audit.toml")
                .unwrap()
                .into(),
            path: path.to_str().unwrap().to_owned(),
        };
        (folder, Ok(found))
    }

    fn expanded(input: &str, lock: Option<&str>) -> String {
        let (_folder, found) = found(lock);
        expand(input.parse().unwrap(), &found).to_string()
    }

    #[test]
    fn a_lock_beside_the_catalog_is_embedded() {
        let lock = format!(
            "[environment.production]\n\"a.b\" = {{ version = 3, fingerprint = \"sha256:{}\" }}",
            "0".repeat(64)
        );
        let (_folder, found) = found(Some(&lock));
        let tokens = expand("x,".parse().unwrap(), &found).to_string();
        assert!(
            tokens.contains(r#"("production" , const { & [("a.b" , 3u32)] })"#),
            "{tokens}"
        );
        let catalog = found.unwrap().path;
        let (path, _) = read_lock(Path::new(&catalog)).unwrap().unwrap();
        assert!(path.ends_with("audit.lock"));
        fs::remove_file(path).unwrap();
        assert!(read_lock(Path::new(&catalog)).unwrap().is_none());
    }

    #[test]
    fn the_coalescing_rule_is_embedded() {
        let text = "[action.\"a.b\"]\ntargets = [\"t\"]\ncoalesce = { by = [\"location\", \"outcome\"], window = \"2m\" }";
        let catalog = audit_catalog::Catalog::parse(text, "audit.toml").unwrap();
        let tokens = embedded(catalog.action("a.b").unwrap(), &quote!(parts)).to_string();
        let end = ". coalesced (parts :: EmbeddedCoalesce :: new (const { & [parts :: CoalesceBy :: Location , parts :: CoalesceBy :: Outcome] } , 120u64))";
        assert!(tokens.ends_with(end), "{tokens}");
    }

    #[test]
    fn mistakes_in_the_lock_are_errors_with_their_position() {
        let tokens = expanded("x,", Some("[environment.production]\na = 1"));
        assert!(
            tokens.contains("compile_error")
                && tokens.contains("audit.lock:2:5: `a` must be a table"),
            "{tokens}"
        );
    }

    #[test]
    fn a_module_has_a_documented_constant_for_each_action() {
        let tokens = expanded("$crate, #[doc(hidden)] pub(crate) mod names;", None);
        let file: syn::File = syn::parse_str(&tokens.replace("$ crate", "krate")).unwrap();
        let [syn::Item::Mod(module)] = &file.items[..] else {
            panic!("{tokens}")
        };
        assert_eq!(module.ident, "names");
        assert!(
            tokens.contains("pub const A_B : $ crate :: Action"),
            "{tokens}"
        );
        assert!(
            tokens.contains(r#"deprecated (note = "use a.b")"#),
            "{tokens}"
        );
        assert!(tokens.contains(r"{actor}\n\n`a.b`, on `t`."), "{tokens}");
    }

    #[test]
    fn other_forms_are_rejected_with_the_valid_ones() {
        for wrong in [
            "x, mod a",
            "x, mod a {}",
            "x, \"a\"",
            "x, mod a; mod b;",
            "x, pub fn f();",
        ] {
            let tokens = expanded(wrong, None);
            assert!(
                tokens.contains("`catalog!()` is the embedded catalog"),
                "{wrong}: {tokens}"
            );
        }
    }
}

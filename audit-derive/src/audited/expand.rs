//! The function again, with an event around its body.
//!
//! Generated names have mixed-site hygiene and generated paths begin with `::`, so nothing the user wrote can be captured or
//! shadowed, in either direction. Items are not hygienic; they stand in blocks that hold no token of the user's.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote_spanned};
use syn::LitStr;
use syn::spanned::Spanned;

use super::check::{Call, Plan, Step};
use super::late::Late;
use super::signature::{Function, Returns};
use crate::function_like::watch;

/// Expands a checked attribute. `facade` is the crate that generated paths start with, unless the attribute names one.
pub(crate) fn expand(
    plan: &Plan,
    function: Function,
    facade: &str,
    catalog_path: &str,
) -> TokenStream {
    let ours = Span::mixed_site();
    let facade = match &plan.facade {
        Some(path) => path.to_token_stream(),
        None => {
            let facade = proc_macro2::Ident::new(facade, ours);
            quote_spanned!(ours=> ::#facade)
        }
    };
    let runtime = quote_spanned!(ours=> #facade::private);
    let open = open(plan, &runtime, catalog_path);
    let steps: TokenStream = plan
        .steps
        .iter()
        .map(|step| record(step, &runtime, generated))
        .collect();
    let Function {
        head,
        is_async,
        returns,
        inner_attributes,
        body,
        mutable,
        ..
    } = function;
    let nested = nested(body.clone());
    let late = plan.late.as_ref().map(|late| record_late(late, &runtime));
    let error = plan.error.as_ref().map(|how| record_error(how, &runtime));
    let outcome = outcome(plan, &runtime);
    let event = plan
        .event
        .as_ref()
        .map(|event| quote_spanned!(ours=> let #event: &mut #runtime::Draft = &mut draft;));
    let run_and_close = match returns {
        // The body never comes to an end, so the draft closes when it is dropped.
        Returns::Never => quote_spanned!(ours=> #event #(#mutable)* #nested),
        returns => {
            let edge = return_edge(&returns);
            let block = braces(
                quote_spanned!(ours=> #edge #(#mutable)* #nested),
                body.span(),
            );
            let run = if is_async {
                quote_spanned!(ours=> async move #block.await)
            } else {
                quote_spanned!(ours=> #runtime::once(move || #block))
            };
            quote_spanned! {ours=>
                #event
                let output = #run;
                #late
                #error
                #runtime::close(draft, #outcome);
                output
            }
        }
    };
    let outer = braces(
        quote_spanned! {ours=>
            #inner_attributes
            let mut draft = #open;
            if #runtime::Draft::is_recording(&draft) {
                #steps
            }
            #run_and_close
        },
        body.span(),
    );
    quote_spanned!(ours=> #head #outer)
}

/// Opens the draft.
fn open(plan: &Plan, runtime: &TokenStream, catalog_path: &str) -> TokenStream {
    let site = site(plan, runtime, catalog_path);
    quote_spanned!(Span::mixed_site()=> { #site #runtime::open(&SITE) })
}

/// The call site, as the items of a block.
pub(crate) fn site(plan: &Plan, runtime: &TokenStream, catalog_path: &str) -> TokenStream {
    let action = plan.action.value();
    let warning = plan
        .deprecated
        .as_ref()
        .map(|note| deprecated(&plan.action, note));
    let constant = plan
        .constant
        .as_ref()
        .map(|path| assert_names(path, &plan.action, runtime));
    let late = late_targets(plan);
    let on = outcomes(plan, runtime);
    let ours = Span::mixed_site();
    let denied = plan
        .denied
        .as_ref()
        .map(|action| quote_spanned!(ours=> .denied(#action)));
    let watch = watch([catalog_path]);
    quote_spanned! {ours=>
        #warning
        #constant
        static SITE: #runtime::CallSite = #runtime::CallSite::new(#action, ::core::file!(), ::core::line!()) #late #denied #on;
        #watch
    }
}

/// Compiles only if the constant is there and is the action of that name, since another module may have one of the same name.
fn assert_names(path: &syn::Path, action: &LitStr, runtime: &TokenStream) -> TokenStream {
    let there = Span::mixed_site().located_at(action.span());
    let name = action.value();
    let constant = path.segments.last().map(|last| last.ident.to_string());
    let otherwise = format!(
        "`{}` is another action than `{name}`; name the constant that `catalog!` made",
        constant.unwrap_or_default()
    );
    quote_spanned!(there=> const _: () = #runtime::assert_names(#path, #name, #otherwise);)
}

/// The compiler's own warning, at the action, by way of a deprecated item that is used there.
pub(crate) fn deprecated(action: &LitStr, note: &str) -> TokenStream {
    let note = format!("the catalog calls `{}` deprecated: {note}", action.value());
    let used = proc_macro2::Ident::new("ACTION", action.span());
    quote_spanned! {Span::mixed_site()=>
        #[deprecated(note = #note)]
        const #used: () = ();
        const _: () = #used;
    }
}

/// The types of the targets that stay `unresolved` unless the function succeeds.
fn late_targets(plan: &Plan) -> Option<TokenStream> {
    let steps = plan.late.as_ref()?.steps.iter();
    let kinds: Vec<_> = steps
        .filter_map(|step| match &step.call {
            // A collection that never came to be has no targets.
            Call::Target(kind) => Some(kind),
            _ => None,
        })
        .collect();
    (!kinds.is_empty()).then(|| quote_spanned!(Span::mixed_site()=> .late(&[#(#kinds),*])))
}

/// The outcomes that leave an event.
fn outcomes(plan: &Plan, runtime: &TokenStream) -> Option<TokenStream> {
    let variant = |outcome: &proc_macro2::Ident| {
        let mut name = outcome.to_string();
        name[..1].make_ascii_uppercase();
        let variant = proc_macro2::Ident::new(&name, Span::mixed_site());
        quote_spanned!(Span::mixed_site()=> #runtime::Outcome::#variant)
    };
    let variants: Vec<_> = plan.on.iter().map(variant).collect();
    (!variants.is_empty()).then(|| quote_spanned!(Span::mixed_site()=> .on(&[#(#variants),*])))
}

/// Records what a successful result knows.
fn record_late(late: &Late, runtime: &TokenStream) -> TokenStream {
    let ours = Span::mixed_site();
    let Late { ok, steps } = late;
    let steps: TokenStream = steps
        .iter()
        .map(|step| record(step, runtime, generated))
        .collect();
    // Where the function returns no `Result`, the mistake is shown at `ok`.
    let pattern = quote_spanned!(ours.located_at(ok.span())=> ::core::result::Result::Ok(#ok));
    quote_spanned! {ours=>
        if #runtime::Draft::is_recording(&draft) {
            if let #pattern = &output {
                #runtime::resolve(&mut draft);
                #steps
            }
        }
    }
}

/// Records the text of an error, for which the attribute asks with the word `display`.
fn record_error(how: &proc_macro2::Ident, runtime: &TokenStream) -> TokenStream {
    let ours = Span::mixed_site();
    // Where the function returns no `Result`, or the error cannot be displayed, the mistake is shown at `display`.
    let there = ours.located_at(how.span());
    let pattern = quote_spanned!(there=> ::core::result::Result::Err(error));
    let error = quote_spanned!(there=> error);
    quote_spanned! {ours=>
        if let #pattern = &output {
            #runtime::display(&mut draft, "error", #error);
        }
    }
}

/// How the call went: as the function says that the attribute names, or as the returned value says.
fn outcome(plan: &Plan, runtime: &TokenStream) -> TokenStream {
    let ours = Span::mixed_site();
    match &plan.outcome {
        Some(path) => quote_spanned!(ours=> #path(&output)),
        None => quote_spanned! {ours=> {
            use #runtime::outcome::*;
            (&&&&&&&&#runtime::outcome::Probe(&output)).__audit_outcome()
        }},
    }
}

/// The span of what is put around a value: generated, at the value.
fn generated(value: Span) -> Span {
    Span::mixed_site().located_at(value)
}

/// Records a value. `around` gives the span of what is put around it, from that of the value.
pub(crate) fn record(step: &Step, runtime: &TokenStream, around: fn(Span) -> Span) -> TokenStream {
    let Step {
        cfgs,
        call,
        value,
        about,
    } = step;
    let ours = Span::mixed_site();
    if about.is_empty() {
        let call = call_with("", call, value, runtime, around);
        return quote_spanned!(ours=> #(#cfgs)* #call;);
    }
    // What is said of a target belongs to it only if there is one.
    let target = call_with("", call, value, runtime, around);
    let about = about
        .iter()
        .map(|(call, value)| call_with("target_", call, value, runtime, around));
    quote_spanned!(ours=> #(#cfgs)* if #target { #(#about;)* })
}

fn call_with(
    prefix: &str,
    call: &Call,
    value: &syn::Expr,
    runtime: &TokenStream,
    around: fn(Span) -> Span,
) -> TokenStream {
    let (function, name) = match call {
        Call::Target(kind) => ("target", Some(kind)),
        Call::Targets(kind) => ("targets", Some(kind)),
        Call::Name { display: false } => ("name", None),
        Call::Name { display: true } => ("display_name", None),
        Call::Text(key) => ("text", Some(key)),
        Call::Number(key) => ("number", Some(key)),
        Call::Boolean(key) => ("boolean", Some(key)),
        Call::Display(key) => ("display", Some(key)),
        Call::Actor => ("actor", None),
        Call::Organization => ("organization", None),
    };
    let function = format!("{prefix}{function}");
    let ours = Span::mixed_site();
    if let Call::Targets(kind) = call {
        // Whatever has an `iter()`: arrays, slices, vectors, sets, options.
        let items = syn::ExprMethodCall {
            attrs: Vec::new(),
            receiver: Box::new(value.clone()),
            dot_token: syn::Token![.](around(value.span())),
            method: syn::Ident::new("iter", around(value.span())),
            turbofish: None,
            paren_token: syn::token::Paren::default(),
            args: syn::punctuated::Punctuated::new(),
        };
        return quote_spanned!(ours=> #runtime::targets(&mut draft, #kind, #items));
    }
    let function = proc_macro2::Ident::new(&function, ours);
    let name = name.map(|name| quote_spanned!(ours=> #name,));
    // A value of a wrong type is reported at the value, so the reference to it stands there too.
    let reference = syn::ExprReference {
        attrs: Vec::new(),
        and_token: syn::Token![&](around(value.span())),
        mutability: None,
        expr: Box::new(value.clone()),
    };
    quote_spanned!(ours=> #runtime::#function(&mut draft, #name #reference))
}

/// A `return` that never runs. It tells the compiler the type of the block, so that inference inside and errors about the
/// result are what they would be in the function itself.
fn return_edge(returns: &Returns) -> TokenStream {
    let ours = Span::mixed_site();
    match returns {
        Returns::Value(written) => quote_spanned! {ours=>
            #[allow(
                unreachable_code,
                clippy::diverging_sub_expression,
                clippy::empty_loop,
                clippy::let_unit_value,
                clippy::let_with_type_underscore,
                clippy::needless_return,
                reason = "states the return type, and never runs"
            )]
            if false {
                let edge: #written = loop {};
                return edge;
            }
        },
        Returns::Unit | Returns::Never => quote_spanned!(ours=> if false { return; }),
    }
}

/// The body as a block of its own, because what it imports must not change what our statements mean.
///
/// The very group that came in, which knows where its closing brace stands, unless it may be a single expression: in
/// braces that look hand-written the compiler would find that one not needed. These stand where the user's stood, but
/// count as generated.
fn nested(body: Group) -> Group {
    let has_statement = body
        .stream()
        .into_iter()
        .any(|token| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ';'));
    if has_statement {
        return body;
    }
    braces(body.stream(), Span::mixed_site().located_at(body.span()))
}

fn braces(content: TokenStream, span: Span) -> Group {
    let mut group = Group::new(Delimiter::Brace, content);
    group.set_span(span);
    group
}

/// Compares with `tests/expand/{name}.rs`, or writes that file when `UPDATE_EXPECT` is set.
#[cfg(test)]
pub(crate) fn expands_to(name: &str, tokens: &str) {
    let file = syn::parse_str(tokens).unwrap_or_else(|error| panic!("{error}: {tokens}"));
    let found = prettyplease::unparse(&file);
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/expand")
        .join(name)
        .with_extension("rs");
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, &found).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        found,
        expected,
        "{}: see the difference; UPDATE_EXPECT=1 accepts it",
        path.display()
    );
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use audit_catalog::Catalog;

    use crate::audited::attribute;
    use crate::catalog::{Found, Problem};

    const CATALOG: &str = r#"
[action."document.share"]
targets = ["document", "user"]
[action."document.share".metadata]
role = "string"
pages = "number?"
notify = "boolean?"
[action."document.delete"]
targets = ["document"]
[target.document.metadata]
size = "number?"
"#;

    fn expand(facade: &str, arguments: &str, item: &str) -> String {
        let catalog = Arc::new(Catalog::parse(CATALOG, "audit.toml").unwrap());
        let found: Result<_, Problem> = Ok(Found {
            catalog,
            path: "/project/audit.toml".to_owned(),
        });
        attribute(
            facade,
            arguments.parse().unwrap(),
            item.parse().unwrap(),
            |_| found,
        )
        .to_string()
    }

    fn expands_to(name: &str, arguments: &str, item: &str) {
        super::expands_to(name, &expand("audit_core", arguments, item));
    }

    #[test]
    fn async_fn() {
        expands_to(
            "async_fn",
            r#"action = "document.share", target(document = doc_id), target(user = body.user_id),
               metadata(role = body.role, pages = body.pages + 1, notify = body.notify)"#,
            "/// Shares.
            #[must_use]
            pub async fn share(Path(doc_id): Path<Uuid>, Json(body): Json<Share>) -> Result<Json<Doc>, AppError> {
                let doc = db.share(doc_id, body).await?;
                Ok(Json(doc))
            }",
        );
    }

    #[test]
    fn sync_method() {
        expands_to(
            "sync_method",
            r#"action = "document.delete", target = "self.id", actor = user, organization = org.id"#,
            "fn delete<'a>(&'a mut self, user: &User, org: Org) -> &'a mut Self { self.deleted = true; self }",
        );
    }

    #[test]
    fn impl_trait_and_inner_attributes() {
        expands_to(
            "impl_trait_and_inner_attributes",
            r#"action = "document.delete", target = "id""#,
            "async fn f(id: Uuid) -> Result<impl IntoResponse, AppError> { #![allow(unused)] Ok(id) }",
        );
    }

    #[test]
    fn values_of_the_result() {
        expands_to(
            "values_of_the_result",
            r#"action = "document.share", target(document = ok.id), target(user = user), metadata(role = "x", pages = ok.pages)"#,
            "async fn create(user: u64) -> Result<Doc, AppError> { Ok(insert(user).await?) }",
        );
    }

    #[test]
    fn everything() {
        expands_to(
            "everything",
            r#"action = "document.share", target(document = id, name = display(title), metadata(size = len)), target(user in also),
               metadata(role = "x"), on = [succeeded, denied], error = display, event = ev, outcome = self::how"#,
            "async fn share(id: u64, title: Title, len: usize, also: Vec<u64>) -> Result<(), AppError> { ev.deny(\"no\"); Ok(()) }",
        );
    }

    #[test]
    fn never() {
        expands_to(
            "never",
            r#"action = "document.delete", target = "id""#,
            "async fn run(id: u8) -> ! { loop { step(id).await } }",
        );
    }

    #[test]
    fn unit_with_cfg_and_display() {
        expands_to(
            "unit_with_cfg_and_display",
            r#"action = "document.share", target(document = url), metadata(role = display(url.role()))"#,
            "fn f(url: Url) { }",
        );
        expands_to(
            "cfg",
            r#"action = "document.delete", target = "id""#,
            "fn f(#[cfg(feature = \"a\")] id: u8, #[cfg(not(feature = \"a\"))] id: u16) {}",
        );
    }

    #[test]
    fn the_facade_and_a_renamed_crate_are_where_paths_start() {
        let item = "fn f(id: u8) {}";
        let arguments = r#"action = "document.delete", target = "id""#;
        let tower = expand("audit_tower", arguments, item);
        assert!(
            tower.contains(":: audit_tower :: private") && !tower.contains("audit_core"),
            "{tower}"
        );
        let renamed = expand(
            "audit_core",
            &format!("{arguments}, crate = my::audit"),
            item,
        );
        assert!(
            renamed.contains("my :: audit :: private :: open") && !renamed.contains("audit_core"),
            "{renamed}"
        );
    }

    #[test]
    fn a_mistake_leaves_the_item_as_it_was() {
        let item = "#[a] pub async fn f < T > (id : T) -> R where T : X { unfinished . } ";
        let tokens = expand(
            "audit_core",
            r#"action = "document.delete", target = "idd""#,
            item,
        );
        let item: proc_macro2::TokenStream = item.parse().unwrap();
        assert!(tokens.starts_with(":: core :: compile_error"), "{tokens}");
        assert!(tokens.ends_with(&item.to_string()), "{tokens}");
    }

    #[test]
    fn an_unfinished_body_comes_out_as_it_was() {
        let tokens = expand(
            "audit_core",
            r#"action = "document.delete", target = "id""#,
            "async fn f(id: u8) -> u8 { let x = id. }",
        );
        assert!(tokens.contains("{ let x = id . }"), "{tokens}");
    }
}

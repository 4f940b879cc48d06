//! The calls into the runtime that record something.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, Ident, LitStr};

use super::async_trait::renamed;
use super::plan::{Call, Late, Plan, Step};
use super::runtime::Runtime;
use super::signature::Returns;
use crate::function_like::watch;

/// Where paths start, and what `self` is called where the values are read.
pub(crate) struct Calls<'a> {
    pub(crate) runtime: &'a Runtime,
    pub(crate) receiver: Option<&'a Ident>,
    /// The span of what is put around a value, from that of the value.
    pub(crate) around: fn(Span) -> Span,
}

/// The span of what is put around a value: generated, at the value.
pub(crate) fn generated(value: Span) -> Span {
    Span::mixed_site().located_at(value)
}

impl Calls<'_> {
    /// Records what is known on entry, if somebody records. Without a recorder no expression is
    /// evaluated; a mere name has nothing to evaluate, and the calls themselves do nothing then, so
    /// a condition would only be more to compile.
    pub(crate) fn entry(&self, steps: &[Step]) -> TokenStream {
        let runtime = self.runtime;
        let calls = self.steps(steps);
        if steps.iter().all(Step::is_a_name) {
            return calls;
        }
        quote_spanned! {Span::mixed_site()=>
            if #runtime::Draft::is_recording(&draft) {
                #calls
            }
        }
    }

    /// Records each of the values.
    pub(crate) fn steps(&self, steps: &[Step]) -> TokenStream {
        steps.iter().map(|step| self.record(step)).collect()
    }

    /// Records what a successful result knows.
    pub(crate) fn late(&self, late: &Late) -> TokenStream {
        let ours = Span::mixed_site();
        let runtime = self.runtime;
        let Late { ok, steps } = late;
        let steps = self.steps(steps);
        // Where the function returns no `Result`, the mistake is shown at `ok`.
        let pattern = quote_spanned!(ours.located_at(ok.span())=> ::core::result::Result::Ok(#ok));
        quote_spanned! {ours=>
            if #runtime::Draft::is_recording(&draft) {
                if let #pattern = &output {
                    #runtime::clear_unresolved_targets(&mut draft);
                    #steps
                }
            }
        }
    }

    /// Records the text of an error, for which the attribute asks with the word `display`.
    pub(crate) fn error(&self, how: &Ident) -> TokenStream {
        let ours = Span::mixed_site();
        let runtime = self.runtime;
        // Where the function returns no `Result`, or the error cannot be displayed, the mistake is
        // shown at `display`.
        let there = ours.located_at(how.span());
        let pattern = quote_spanned!(there=> ::core::result::Result::Err(error));
        let error = quote_spanned!(there=> error);
        quote_spanned! {ours=>
            if let #pattern = &output {
                #runtime::display(&mut draft, "error", #error);
            }
        }
    }

    fn record(&self, step: &Step) -> TokenStream {
        let Step {
            cfgs,
            call,
            value,
            about,
        } = step;
        let ours = Span::mixed_site();
        if about.is_empty() {
            let call = self.call("", call, value);
            return quote_spanned!(ours=> #(#cfgs)* #call;);
        }
        // What is said of a target belongs to it only if there is one.
        let target = self.call("", call, value);
        let about = about
            .iter()
            .map(|(call, value)| self.call("target_", call, value));
        quote_spanned!(ours=> #(#cfgs)* if #target { #(#about;)* })
    }

    fn call(&self, prefix: &str, call: &Call, value: &Expr) -> TokenStream {
        let runtime = self.runtime;
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
                receiver: Box::new(self.value(value)),
                dot_token: syn::Token![.]((self.around)(value.span())),
                method: Ident::new("iter", (self.around)(value.span())),
                turbofish: None,
                paren_token: syn::token::Paren::default(),
                args: syn::punctuated::Punctuated::new(),
            };
            return quote_spanned!(ours=> #runtime::targets(&mut draft, #kind, #items));
        }
        let function = Ident::new(&function, ours);
        let name = name.into_iter();
        let reference = self.reference(value);
        quote_spanned!(ours=> #runtime::#function(&mut draft, #(#name,)* #reference))
    }

    /// Opens the draft with its first target, if that takes no more than a call: nothing is to be
    /// said of the target, and nothing runs to get its id.
    pub(crate) fn open_target(&self, action: &LitStr, step: &Step) -> Option<TokenStream> {
        let Call::Target(kind) = &step.call else {
            return None;
        };
        if !step.cfgs.is_empty() || !step.about.is_empty() || !step.is_a_name() {
            return None;
        }
        let runtime = self.runtime;
        let action = action.value();
        let reference = self.reference(&step.value);
        Some(quote_spanned!(Span::mixed_site()=> #runtime::open_target(#action, #kind, #reference)))
    }

    /// A reference to the value. It stands where the value stands, since a value of a wrong type is
    /// reported there.
    fn reference(&self, value: &Expr) -> syn::ExprReference {
        syn::ExprReference {
            attrs: Vec::new(),
            and_token: syn::Token![&]((self.around)(value.span())),
            mutability: None,
            expr: Box::new(self.value(value)),
        }
    }

    fn value(&self, value: &Expr) -> Expr {
        match self.receiver {
            Some(receiver) => Expr::Verbatim(renamed(value.to_token_stream(), receiver)),
            None => value.clone(),
        }
    }
}

/// Opens the draft. `opener` is the function of the runtime that does it.
pub(crate) fn open(
    plan: &Plan,
    runtime: &Runtime,
    catalog_path: &str,
    opener: &str,
) -> TokenStream {
    let ours = Span::mixed_site();
    let opener = Ident::new(opener, ours);
    let action = plan.action.value();
    let call = quote_spanned!(ours=> #runtime::#opener(#action));
    match items(plan, runtime, catalog_path) {
        Some(items) => quote_spanned!(ours=> { #items #call }),
        None => call,
    }
}

/// The items that are needed where the draft is opened.
pub(crate) fn items(plan: &Plan, runtime: &Runtime, catalog_path: &str) -> Option<TokenStream> {
    let warning = plan
        .deprecated
        .as_ref()
        .map(|note| deprecated(&plan.action, note));
    let constant = plan
        .constant
        .as_ref()
        .map(|path| assert_names(path, &plan.action, runtime));
    let watch = watch([catalog_path]);
    let has_some = warning.is_some() || constant.is_some() || watch.is_some();
    has_some.then(|| quote_spanned!(Span::mixed_site()=> #warning #constant #watch))
}

/// What is to know of the draft beyond the action, for the few that need it.
///
/// Nothing at all for the others, as everywhere here: also an empty stream costs the compiler when
/// it is put among others.
pub(crate) fn conditions(plan: &Plan, runtime: &Runtime) -> Option<TokenStream> {
    let ours = Span::mixed_site();
    let late = late_targets(plan);
    let late = (!late.is_empty()).then(
        || quote_spanned!(ours=> #runtime::add_unresolved_targets(&mut draft, &[#(#late),*]);),
    );
    let on = outcomes(plan, runtime);
    let on = (!on.is_empty())
        .then(|| quote_spanned!(ours=> #runtime::record_only_on(&mut draft, &[#(#on),*]);));
    let denied = plan
        .denied
        .as_ref()
        .map(|action| quote_spanned!(ours=> #runtime::record_denials_as(&mut draft, #action);));
    let durable = plan
        .durable
        .then(|| quote_spanned!(ours=> #runtime::make_durable(&mut draft);));
    let has_some = on.is_some() || denied.is_some() || late.is_some() || plan.durable;
    has_some.then(|| quote_spanned!(ours=> #durable #on #denied #late))
}

/// Compiles only if the constant is there and is the action of that name, since another module may
/// have one of the same name.
fn assert_names(path: &syn::Path, action: &LitStr, runtime: &Runtime) -> TokenStream {
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
    let used = Ident::new("ACTION", action.span());
    quote_spanned! {Span::mixed_site()=>
        #[deprecated(note = #note)]
        const #used: () = ();
        const _: () = #used;
    }
}

/// The types of the targets that stay `unresolved` unless the function succeeds.
fn late_targets(plan: &Plan) -> Vec<&String> {
    let steps = plan.late.iter().flat_map(|late| &late.steps);
    steps
        .filter_map(|step| match &step.call {
            // A collection that never came to be has no targets.
            Call::Target(kind) => Some(kind),
            _ => None,
        })
        .collect()
}

/// The outcomes that leave an event.
fn outcomes(plan: &Plan, runtime: &Runtime) -> Vec<TokenStream> {
    let variant = |outcome: &Ident| {
        let mut name = outcome.to_string();
        name[..1].make_ascii_uppercase();
        let variant = Ident::new(&name, Span::mixed_site());
        quote_spanned!(Span::mixed_site()=> #runtime::Outcome::#variant)
    };
    plan.on.iter().map(variant).collect()
}

/// Closes the draft as the call went: as the function says that the attribute names, or as the
/// returned value says.
///
/// `output` is a reference to the value. Of a durable event it is an expression, of what is to be
/// waited for.
pub(crate) fn close(
    plan: &Plan,
    returns: &Returns,
    runtime: &Runtime,
    output: &TokenStream,
) -> TokenStream {
    let ours = Span::mixed_site();
    let (close, method, end) = if plan.durable {
        ("close_durable", "__audit_close_durable", None)
    } else {
        ("close", "__audit_close", Some(syn::Token![;](ours)))
    };
    let (close, method) = (Ident::new(close, ours), Ident::new(method, ours));
    match (&plan.outcome, returns) {
        (Some(path), _) => quote_spanned!(ours=> #runtime::#close(draft, #path(#output)) #end),
        // What would be found of `()`.
        (None, Returns::Unit) => {
            quote_spanned!(ours=> #runtime::#close(draft, #runtime::Outcome::Unknown) #end)
        }
        (None, _) => quote_spanned! {ours=> {
            use #runtime::OutcomeOf as _;
            (&mut #runtime::Probe(#output)).#method(draft) #end
        }},
    }
}

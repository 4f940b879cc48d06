//! Generates the calls into the runtime that open, fill and close a draft.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, Ident, LitStr};

use super::async_trait::renamed;
use super::plan::{Call, Late, Plan, Step};
use super::runtime::Runtime;
use super::signature::Returns;
use crate::function_like::watch;

/// The context of generated calls: the runtime's path, and the identifier of `self`.
pub(crate) struct Calls<'a> {
    pub(crate) runtime: &'a Runtime,
    pub(crate) receiver: Option<&'a Ident>,
    /// Maps the span of a value to that of the tokens around it.
    pub(crate) around: fn(Span) -> Span,
}

/// Returns a generated span at the position of the value.
pub(crate) fn generated(value: Span) -> Span {
    Span::mixed_site().located_at(value)
}

impl Calls<'_> {
    /// Records the values known on entry, if there is a recorder.
    ///
    /// Without a recorder no expression is evaluated. Plain names need no such condition, because
    /// the calls themselves do nothing then, and the condition would take time to compile.
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

    /// Records the values of a successful result.
    pub(crate) fn late(&self, late: &Late) -> TokenStream {
        let ours = Span::mixed_site();
        let runtime = self.runtime;
        let Late { ok, steps } = late;
        let steps = self.steps(steps);
        // If the function does not return a `Result`, the compiler reports it at `ok`.
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

    /// Records the text of an error, as requested by `error = display`.
    pub(crate) fn error(&self, how: &Ident) -> TokenStream {
        let ours = Span::mixed_site();
        let runtime = self.runtime;
        // If the function does not return a `Result`, or the error has no `Display`, the compiler
        // reports it at `display`.
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
        // Details of a target are recorded only if the target is present.
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
            // Any value with an `iter()`: arrays, slices, vectors, sets, options.
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

    /// Opens the draft with its first target in one call.
    ///
    /// Returns `None` if the target has details, or its id has to be evaluated.
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

    /// Returns a reference to the value, at its position, where a wrong type is reported.
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

/// Opens the draft; `opener` is the function of the runtime.
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

/// Returns the items that precede the opening of the draft.
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

/// Returns the settings of the draft besides the action.
///
/// `None` for most drafts: even an empty token stream costs compile time when it is spliced.
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

/// Asserts at compile time that the constant exists and is the action of this name.
///
/// Another module may have a constant of the same name.
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

/// Emits the compiler's deprecation warning at the action, by using a deprecated item there.
pub(crate) fn deprecated(action: &LitStr, note: &str) -> TokenStream {
    let note = format!("action `{}` is deprecated: {note}", action.value());
    let used = Ident::new("ACTION", action.span());
    quote_spanned! {Span::mixed_site()=>
        #[deprecated(note = #note)]
        const #used: () = ();
        const _: () = #used;
    }
}

/// Returns the types of the targets that are `unresolved` unless the function succeeds.
fn late_targets(plan: &Plan) -> Vec<&String> {
    let steps = plan.late.iter().flat_map(|late| &late.steps);
    steps
        .filter_map(|step| match &step.call {
            // A collection that was never created has no targets.
            Call::Target(kind) => Some(kind),
            _ => None,
        })
        .collect()
}

/// Returns the outcomes that are recorded.
fn outcomes(plan: &Plan, runtime: &Runtime) -> Vec<TokenStream> {
    let variant = |outcome: &Ident| {
        let mut name = outcome.to_string();
        name[..1].make_ascii_uppercase();
        let variant = Ident::new(&name, Span::mixed_site());
        quote_spanned!(Span::mixed_site()=> #runtime::Outcome::#variant)
    };
    plan.on.iter().map(variant).collect()
}

/// Closes the draft with the outcome of the call.
///
/// The outcome comes from the function that the attribute names, or from the returned value.
/// `output` is a reference to that value. For a durable event, the result is an expression: the
/// wait for its write.
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
        // The outcome of `()`.
        (None, Returns::Unit) => {
            quote_spanned!(ours=> #runtime::#close(draft, #runtime::Outcome::Unknown) #end)
        }
        (None, _) => quote_spanned! {ours=> {
            use #runtime::OutcomeOf as _;
            (&mut #runtime::Probe(#output)).#method(draft) #end
        }},
    }
}

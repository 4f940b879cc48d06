//! Code generation for `#[audited]`.
//!
//! Generated names have mixed-site hygiene and generated paths begin with `::`, so that user code
//! and generated code cannot capture or shadow each other's names. Items are not hygienic; they are
//! in blocks without user code.

use proc_macro2::{Group, Ident, Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::Attribute;

use super::async_trait::Unfolded;
use super::bindings::Mutable;
use super::body::{braces, nested, return_type};
use super::calls::{Calls, close, conditions, generated, items, open};
use super::future::Wrap;
use super::plan::Plan;
use super::runtime::Runtime;
use super::signature::{Function, Kind, Returns};

/// Expands a checked attribute.
///
/// `facade` is the crate that generated paths start with, unless the attribute names one.
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
            let facade = Ident::new(facade, ours);
            quote_spanned!(ours=> ::#facade)
        }
    };
    let runtime = Runtime::of(&facade);
    let Function {
        head,
        kind,
        returns,
        inner_attributes,
        body,
        mutable,
        held,
        output,
        ..
    } = function;
    let receiver = match &kind {
        Kind::AsyncTrait(unfolded) => unfolded.receiver.clone(),
        _ => None,
    };
    let parts = Parts {
        plan,
        runtime: &runtime,
        catalog_path,
        calls: Calls {
            runtime: &runtime,
            receiver: receiver.as_ref(),
            around: generated,
        },
        returns,
        mutable,
        held,
        output: ours.located_at(output),
        awaits: !matches!(kind, Kind::Sync),
    };
    let span = body.span();
    let content = match kind {
        Kind::Sync => {
            let block = |content| {
                let block = braces(content, span);
                let closure = parts.closure(&block);
                quote_spanned!(ours=> #runtime::call_body(#closure))
            };
            parts.around(None, body, block)
        }
        Kind::Async => parts.around(None, body, |content| awaited(content, span)),
        Kind::AsyncTrait(unfolded) => parts.inside(unfolded),
        Kind::Future { wrap, written } => parts.following(wrap, &written, body),
    };
    let content = if inner_attributes.is_empty() {
        content
    } else {
        quote_spanned!(ours=> #inner_attributes #content)
    };
    let outer = braces(content, span);
    quote_spanned!(ours=> #head #outer)
}

fn awaited(content: TokenStream, span: Span) -> TokenStream {
    let block = braces(content, span);
    quote_spanned!(Span::mixed_site()=> async move #block.await)
}

struct Parts<'a> {
    plan: &'a Plan,
    runtime: &'a Runtime,
    catalog_path: &'a str,
    calls: Calls<'a>,
    returns: Returns,
    mutable: Vec<Mutable>,
    held: Vec<(Vec<Attribute>, Ident)>,
    output: Span,
    /// `true` if the body runs in an async context.
    awaits: bool,
}

impl Parts<'_> {
    /// Generates the body between the opening and the closing of the draft.
    ///
    /// `lets` bind the names that captured values mention.
    fn around(
        &self,
        lets: Option<&TokenStream>,
        body: Group,
        run: impl FnOnce(TokenStream) -> TokenStream,
    ) -> TokenStream {
        let ours = Span::mixed_site();
        let Self {
            runtime, mutable, ..
        } = self;
        let opening = self.opening(lets);
        let nested = nested(body);
        let event = self.event();
        let run_and_close = match &self.returns {
            // The body never returns, so the draft closes when it is dropped.
            Returns::Never => quote_spanned!(ours=> #event #(#mutable)* #nested),
            returns => {
                let hint = return_type(returns, &self.held, runtime);
                let run = run(quote_spanned!(ours=> #hint #(#mutable)* #nested));
                let close = self.close_and_wait(&quote_spanned!(ours=> &output));
                quote_spanned! {ours=>
                    #event
                    let output = #run;
                    #close
                    output
                }
            }
        };
        quote_spanned! {ours=>
            #opening
            #run_and_close
        }
    }

    /// Opens the draft and records the values known on entry.
    fn opening(&self, lets: Option<&TokenStream>) -> TokenStream {
        let ours = Span::mixed_site();
        let Self { plan, runtime, .. } = self;
        let conditions = conditions(plan, runtime);
        // The most frequent shape, one target by name, is a single call, because the compiler
        // checks each call like a line of user code.
        if let (None, None, Some((first, others))) = (lets, &conditions, plan.steps.split_first())
            && let Some(open) = self.calls.open_target(&plan.action, first)
        {
            let is_final = others.is_empty() && plan.late.is_none() && plan.error.is_none();
            let mutability = (!is_final || plan.event.is_some()).then(|| syn::Token![mut](ours));
            // In a block of their own, because the call contains a user's name.
            let items = items(plan, runtime, self.catalog_path)
                .map(|items| quote_spanned!(ours=> { #items }));
            let steps = (!others.is_empty()).then(|| self.calls.entry(others));
            return quote_spanned! {ours=>
                #items
                let #mutability draft = #open;
                #steps
            };
        }
        let open = open(plan, runtime, self.catalog_path, "open");
        let steps = self.calls.entry(&plan.steps);
        quote_spanned! {ours=>
            let mut draft = #open;
            #conditions
            #lets
            #steps
        }
    }

    /// Generates the same inside the block of `#[async_trait]`.
    fn inside(&self, mut unfolded: Unfolded) -> TokenStream {
        let lets = std::mem::take(&mut unfolded.lets);
        let body = unfolded.body.clone();
        let span = body.span();
        unfolded.refold(self.around(Some(&lets), body, |content| awaited(content, span)))
    }

    /// Generates a body that returns a future, and attaches the draft to that future.
    ///
    /// Values are captured at the call, before the body can move them.
    fn following(&self, wrap: Wrap, written: &Returns, body: Group) -> TokenStream {
        let ours = Span::mixed_site();
        let Self {
            runtime, mutable, ..
        } = self;
        let open = open(self.plan, runtime, self.catalog_path, "open_deferred");
        let conditions = conditions(self.plan, runtime);
        let steps = self.calls.steps(&self.plan.steps);
        let hint = return_type(written, &[], runtime);
        let span = body.span();
        let nested = nested(body);
        let block = braces(quote_spanned!(ours=> #hint #(#mutable)* #nested), span);
        let output = match &self.returns {
            Returns::Value(written) => written.to_token_stream(),
            Returns::Unit | Returns::Never => quote_spanned!(ours=> _),
        };
        let close = self.close(&quote_spanned!(ours=> output));
        let is_changed = self.plan.late.is_some() || self.plan.error.is_some();
        let again = is_changed.then(|| quote_spanned!(ours=> let mut draft = draft;));
        let closure = self.closure(&block);
        let start =
            quote_spanned!(self.output=> #runtime::call_future_body::<#output, _>(#closure));
        let track = if self.plan.durable {
            "track_durable_future"
        } else {
            "track_future"
        };
        let track = Ident::new(track, ours);
        let tracked = quote_spanned! {ours=>
            #runtime::#track::<#output, _, _>(draft, future, |output, draft| {
                #again
                #close
            })
        };
        let tracked = match wrap {
            Wrap::Bare => tracked,
            Wrap::Boxed => quote_spanned!(ours=> #runtime::boxed(#tracked)),
            Wrap::Pinned => quote_spanned!(ours=> #runtime::pinned(#tracked)),
        };
        quote_spanned! {ours=>
            let mut draft = #open;
            #conditions
            #steps
            let future = #start;
            #tracked
        }
    }

    /// Wraps the block in a closure.
    ///
    /// Its head has the span of the return type, where the compiler reports a missing value.
    fn closure(&self, block: &Group) -> TokenStream {
        quote_spanned!(self.output=> move || #block)
    }

    /// Closes the draft, and waits for the write of a durable event.
    ///
    /// Behind a layer and in `run`, the wait is empty: they wait instead.
    fn close_and_wait(&self, output: &TokenStream) -> TokenStream {
        let close = self.close(output);
        if !self.plan.durable {
            return close;
        }
        let ours = Span::mixed_site();
        let wait = if self.awaits {
            quote_spanned!(ours=> durable_write.await;)
        } else {
            quote_spanned!(ours=> durable_write.wait();)
        };
        if self.plan.late.is_none() && self.plan.error.is_none() {
            return quote_spanned!(ours=> let durable_write = #close; #wait);
        }
        let close = braces(close, ours);
        quote_spanned!(ours=> let durable_write = #close; #wait)
    }

    /// Closes the draft with the values and the outcome of `output`, a reference.
    fn close(&self, output: &TokenStream) -> TokenStream {
        let Self { plan, runtime, .. } = self;
        let late = plan.late.as_ref().map(|late| self.calls.late(late));
        let error = plan.error.as_ref().map(|how| self.calls.error(how));
        let close = close(plan, &self.returns, runtime, output);
        quote_spanned! {Span::mixed_site()=>
            #late
            #error
            #close
        }
    }

    /// Binds the draft to the name in the attribute.
    fn event(&self) -> Option<TokenStream> {
        let runtime = self.runtime;
        let name = self.plan.event.as_ref()?;
        let event =
            quote_spanned!(Span::mixed_site()=> let #name: &mut #runtime::Draft = &mut draft;);
        Some(event)
    }
}

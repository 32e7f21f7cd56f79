//! Completion: functions that give values for an argument of a prompt, or for a `{..}` of a resource's URI.
//!
//! `#[complete(note.id)]` on `fn ids(&self, typed: &str)` -> a row of the server's completions. Invariant: what a row completes is
//! there: what is not is told at the place where it is named.

use std::collections::BTreeSet;

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{
    FnArg, Ident, ImplItem, ImplItemFn, ItemImpl, LitStr, Pat, PatType, Result, ReturnType, Token, Type,
};

use crate::route::place;
use crate::tool::position;

/// What can be completed: a prompt or a resource.
pub(crate) struct Target {
    pub(crate) function: Ident,
    /// What clients call it.
    pub(crate) name: String,
    pub(crate) arguments: Arguments,
}

/// What it takes.
pub(crate) enum Arguments {
    Named(Vec<String>),
    /// The fields of a type, which only the compiler knows.
    Fields(Box<Type>),
}

/// One argument: `note.id`, or `plan.kind = "type"` where clients know a field by another name.
struct Place {
    function: Ident,
    argument: Ident,
    renamed: Option<LitStr>,
}

impl Parse for Place {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let wrong = |e: syn::Error| {
            let what = "what is completed is a function and its argument, as in `#[complete(note.id)]`";
            syn::Error::new(e.span(), what)
        };
        let function = input.parse().map_err(wrong)?;
        input.parse::<Token![.]>().map_err(wrong)?;
        let argument = input.call(Ident::parse_any).map_err(wrong)?;
        let renamed = input.parse::<Option<Token![=]>>()?.map(|_| input.parse()).transpose()?;
        Ok(Self { function, argument, renamed })
    }
}

/// What the `#[complete]` functions of a block come to.
#[derive(Default)]
pub(crate) struct Completions {
    rows: Vec<TokenStream>,
    /// For the compiler: are these fields there?
    checks: Vec<TokenStream>,
    known: BTreeSet<(String, String)>,
}

impl Completions {
    pub(crate) fn of(block: &mut ItemImpl, targets: &[Target]) -> Result<Self> {
        let mut all = Self::default();
        for it in &mut block.items {
            if let ImplItem::Fn(function) = it
                && let Some(at) = position(function, "complete")
            {
                let attribute = function.attrs.remove(at);
                let places = attribute.parse_args_with(Punctuated::<Place, Token![,]>::parse_terminated)?;
                if places.is_empty() {
                    let what = "say what is completed, as in `#[complete(note.id)]`";
                    return Err(syn::Error::new_spanned(attribute, what));
                }
                for place in &places {
                    all.add(function, place, targets)?;
                }
            }
        }
        Ok(all)
    }

    /// The function of that name that gives the rows, where there are any.
    pub(crate) fn to_function(&self, server: &Type, name: &str) -> TokenStream {
        let Self { rows, checks, .. } = self;
        let name = Ident::new(name, Span::call_site());
        if rows.is_empty() {
            return TokenStream::new();
        }
        quote! {
            #(#checks)*

            impl #server {
                #[doc(hidden)]
                pub(crate) fn #name() -> &'static [::drydock_kit::__private::Completion<Self>] {
                    static ROWS: &[::drydock_kit::__private::Completion<#server>] = &[#(#rows),*];
                    ROWS
                }
            }
        }
    }

    fn add(&mut self, function: &ImplItemFn, completed: &Place, targets: &[Target]) -> Result<()> {
        let known = targets.iter().find(|it| it.function == completed.function);
        let target = known.ok_or_else(|| {
            let what =
                format!("no prompt or resource of this block is the function `{}`", completed.function);
            syn::Error::new_spanned(&completed.function, what)
        })?;
        self.check(target, completed.argument.clone())?;
        let fields = matches!(target.arguments, Arguments::Fields(_));
        if let Some(it) = completed.renamed.as_ref().filter(|_| !fields) {
            return Err(syn::Error::new_spanned(
                it,
                "a `{..}` of a URI has one name, which is the argument's",
            ));
        }
        let argument =
            completed.renamed.as_ref().map_or(completed.argument.unraw().to_string(), LitStr::value);
        if !self.known.insert((target.name.clone(), argument.clone())) {
            return Err(syn::Error::new_spanned(&completed.argument, "it is completed twice"));
        }
        let of = &target.name;
        let (typed, others) = arguments(function)?;
        let mut values = vec![quote_spanned!(place(&typed.ty)=> &typed.value)];
        let mut needed = Vec::new();
        for (name, kind) in others {
            let own = name.unraw().to_string();
            values.push(quote_spanned!(place(kind)=> typed.other(#own)));
            needed.push(own);
            self.check(target, name)?;
        }
        let about = quote!(of: #of, argument: #argument, others: &[#(#needed),*],);
        self.rows.push(row(function, &about, &values));
        Ok(())
    }

    /// Is there such an argument?
    fn check(&mut self, target: &Target, name: Ident) -> Result<()> {
        match &target.arguments {
            Arguments::Named(all) if all.iter().any(|it| name.unraw() == it) => Ok(()),
            Arguments::Named(_) => {
                let what = format!("`{}` has no argument `{}`", target.function, name.unraw());
                Err(syn::Error::new_spanned(name, what))
            }
            Arguments::Fields(all) => {
                self.checks.push(quote!(const _: fn(&#all) = |it| { let _ = &it.#name; };));
                Ok(())
            }
        }
    }
}

/// What was typed, and the other arguments whose values a function wants to know.
fn arguments(function: &ImplItemFn) -> Result<(&PatType, Vec<(Ident, &Type)>)> {
    let name = &function.sig.ident;
    let wrong = |at: &dyn ToTokens| {
        let what = format!("a completion takes `&self` and what was typed: `fn {name}(&self, typed: &str)`");
        syn::Error::new_spanned(at.to_token_stream(), what)
    };
    let mut inputs = function.sig.inputs.iter();
    match inputs.next() {
        Some(FnArg::Receiver(it)) if it.reference.is_some() && it.mutability.is_none() => {}
        Some(other) => return Err(wrong(other)),
        None => return Err(wrong(name)),
    }
    let Some(FnArg::Typed(typed)) = inputs.next() else { return Err(wrong(name)) };
    let mut others = Vec::new();
    for it in inputs {
        let FnArg::Typed(it) = it else { continue };
        let Pat::Ident(name) = &*it.pat else {
            let what = "here stands the name of another argument, as in `day: Option<&str>`";
            return Err(syn::Error::new_spanned(&it.pat, what));
        };
        others.push((name.ident.clone(), &*it.ty));
    }
    Ok((typed, others))
}

fn row(function: &ImplItemFn, about: &TokenStream, values: &[TokenStream]) -> TokenStream {
    let call = &function.sig.ident;
    let wait = function.sig.asyncness.map(|_| quote!(.await));
    let at = match &function.sig.output {
        ReturnType::Type(_, kind) => place(kind),
        ReturnType::Default => place(call),
    };
    let given = quote_spanned!(at=> server.#call(#(#values),*)#wait);
    let values = quote_spanned!(at=> ::drydock_kit::__private::CompletionValues::values(#given));
    quote! {
        ::drydock_kit::__private::Completion {
            #about
            complete: |server, typed| ::std::boxed::Box::pin(async move {
                let typed = &typed;
                #values
            }),
        }
    }
}

#[cfg(test)]
mod tests;

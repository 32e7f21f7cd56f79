//! One tool: its words, and what rmcp's attribute takes in their place.
//!
//! `#[tool(read_only, idempotent)]` -> `#[tool(annotations(..))]`. Invariant: a client is told all four hints, and what is not said is
//! the careful one.

use std::collections::BTreeSet;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, ExprLit, ImplItemFn, Lit, Meta, Result, Token, parse_quote_spanned};

use crate::route::place;

const WORDS: &str = "known here are `read_only`, `additive`, `idempotent`, `open_world`, `title = \"..\"` and `name = \"..\"`";

/// What stands in the brackets.
#[derive(Default)]
struct Words {
    read_only: bool,
    additive: bool,
    idempotent: bool,
    open_world: bool,
    title: Option<Expr>,
    name: Option<Expr>,
}

/// The attribute of that name, with or without a path before it.
pub(crate) fn position(function: &ImplItemFn, name: &str) -> Option<usize> {
    let is_it = |it: &Attribute| it.path().segments.last().is_some_and(|it| it.ident == name);
    function.attrs.iter().position(is_it)
}

/// The names of a server's tools, prompts or resources so far.
#[derive(Debug, Default)]
pub(crate) struct Names(BTreeSet<String>);

impl Names {
    /// One that is there already would take the other's place, without a word.
    pub(crate) fn insert(&mut self, kind: &str, name: &str, place: &impl ToTokens) -> Result<()> {
        if self.0.insert(name.to_owned()) {
            return Ok(());
        }
        Err(syn::Error::new_spanned(place, format!("two {kind} are called `{name}`: rename one")))
    }
}

/// Puts rmcp's attribute into the place of ours; whether this is a tool.
pub(crate) fn mend(function: &mut ImplItemFn, names: &mut Names) -> Result<bool> {
    let Some(at) = position(function, "tool") else { return Ok(false) };
    let words = words(&function.attrs[at])?;
    let own = &function.sig.ident;
    match &words.name {
        None => names.insert("tools", &own.to_string(), own)?,
        Some(Expr::Lit(ExprLit { lit: Lit::Str(it), .. })) => names.insert("tools", &it.value(), it)?,
        Some(_) => {} // rmcp's own attribute says what is wrong with it
    }
    takes_itself(function)?;
    description(function, "for the model that calls it")?;
    let hints = words.to_rmcp();
    // Where ours stands: there the compiler points when the function's future is not `Send`.
    let place = place(&function.attrs[at]);
    function.attrs[at] = parse_quote_spanned!(place=> #[rmcp::tool(#hints)]);
    Ok(true)
}

fn takes_itself(function: &ImplItemFn) -> Result<()> {
    match function.sig.receiver() {
        Some(it) if it.reference.is_some() && it.mutability.is_none() => Ok(()),
        Some(it) => {
            let problem =
                "a tool takes `&self`, since calls run at the same time: what changes goes into a `Mutex`";
            Err(syn::Error::new_spanned(it, problem))
        }
        None => {
            let problem = "a tool is a method of the server: its first argument is `&self`";
            Err(syn::Error::new_spanned(&function.sig.ident, problem))
        }
    }
}

/// The lines of a function's comment.
pub(crate) fn description(function: &ImplItemFn, reader: &str) -> Result<String> {
    let line = |it: &Attribute| match &it.meta {
        Meta::NameValue(it) if it.path.is_ident("doc") => match &it.value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value().trim().to_owned()),
            _ => None,
        },
        _ => None,
    };
    let lines: Vec<_> = function.attrs.iter().filter_map(line).collect();
    if lines.is_empty() {
        let name = &function.sig.ident;
        let problem = format!("`{name}` has no description: say in a `///` comment what it does, {reader}");
        return Err(syn::Error::new_spanned(name, problem));
    }
    Ok(lines.join("\n"))
}

fn words(attribute: &Attribute) -> Result<Words> {
    let mut words = Words::default();
    if matches!(attribute.meta, Meta::Path(_)) {
        return Ok(words);
    }
    for it in attribute.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated)? {
        let name = it.path().get_ident().map(ToString::to_string).unwrap_or_default();
        match (name.as_str(), &it) {
            ("read_only", Meta::Path(_)) => words.read_only = true,
            ("additive", Meta::Path(_)) => words.additive = true,
            ("idempotent", Meta::Path(_)) => words.idempotent = true,
            ("open_world", Meta::Path(_)) => words.open_world = true,
            ("title", Meta::NameValue(it)) => words.title = Some(it.value.clone()),
            ("name", Meta::NameValue(it)) => words.name = Some(it.value.clone()),
            _ => return Err(syn::Error::new_spanned(&it, WORDS)),
        }
        if words.read_only && words.additive {
            return Err(syn::Error::new_spanned(
                &it,
                "a tool that only reads adds nothing: one of `read_only` and `additive`",
            ));
        }
    }
    Ok(words)
}

impl Words {
    fn to_rmcp(&self) -> TokenStream {
        let Self { read_only, additive, idempotent, open_world, title, name } = self;
        let destructive = !read_only && !additive;
        let title = title.as_ref().map(|it| quote!(title = #it,));
        let name = name.as_ref().map(|it| quote!(name = #it,));
        quote! {
            #name #title annotations(
                read_only_hint = #read_only, destructive_hint = #destructive, idempotent_hint = #idempotent,
                open_world_hint = #open_world
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    fn mended(function: ImplItemFn) -> Result<String> {
        let mut function = function;
        mend(&mut function, &mut Names::default())?;
        let attribute = &function.attrs[1];
        Ok(quote!(#attribute).to_string().replace(' ', ""))
    }

    #[test]
    fn what_is_not_said_is_the_careful_hint() {
        let bare = mended(parse_quote! {
            /// Does.
            #[tool]
            fn it(&self) {}
        });
        let hints = "read_only_hint=false,destructive_hint=true,idempotent_hint=false,open_world_hint=false";
        assert_eq!(bare.unwrap(), format!("#[rmcp::tool(annotations({hints}))]"));
        let said = mended(parse_quote! {
            /// Does.
            #[tool(read_only, idempotent, title = "It")]
            fn it(&self) {}
        });
        let hints = "read_only_hint=true,destructive_hint=false,idempotent_hint=true,open_world_hint=false";
        assert_eq!(said.unwrap(), format!("#[rmcp::tool(title=\"It\",annotations({hints}))]"));
    }

    #[test]
    fn a_mistake_is_said_in_words_of_what_one_writes() {
        let cases: [(ImplItemFn, &str); 6] = [
            (
                parse_quote!(
                    #[tool]
                    fn it(&self) {}
                ),
                "`it` has no description",
            ),
            (
                parse_quote! {
                    /// Does.
                    #[tool(readonly)]
                    fn it(&self) {}
                },
                "known here are `read_only`",
            ),
            (
                parse_quote! {
                    /// Does.
                    #[tool(read_only, additive)]
                    fn it(&self) {}
                },
                "one of `read_only` and `additive`",
            ),
            (
                parse_quote! {
                    /// Does.
                    #[tool]
                    fn it(self) {}
                },
                "takes `&self`",
            ),
            (
                parse_quote! {
                    /// Does.
                    #[tool]
                    fn it(&mut self) {}
                },
                "goes into a `Mutex`",
            ),
            (
                parse_quote! {
                    /// Does.
                    #[tool]
                    fn it() {}
                },
                "its first argument is `&self`",
            ),
        ];
        for (function, expected) in cases {
            let problem = mended(function).unwrap_err().to_string();
            assert!(problem.contains(expected), "{problem}");
        }
    }
}

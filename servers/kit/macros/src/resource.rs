//! Resources: functions that a client reads by their URI.
//!
//! `#[resource("notes://note/{id}")]` on `fn note(&self, id: String)` -> a row of the server's resources. Invariant: a URI's names are the
//! function's arguments, told where they are not.

use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::{Parse, ParseStream};
use syn::{Expr, FnArg, Ident, ImplItem, ImplItemFn, LitStr, Pat, Result, Token};

use crate::complete::{Arguments, Completions, Target};
use crate::server::plain_block;
use crate::tool::{Names, description, position};

const WORDS: &str = "known here are the URI, `title = \"..\"`, `mime_type = \"..\"` and `name = \"..\"`";

/// What stands in the brackets: the URI, and then what may be left out.
struct Words {
    uri: LitStr,
    title: Option<Expr>,
    mime_type: Option<Expr>,
    name: Option<Expr>,
}

impl Parse for Words {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let no_uri = |e: syn::Error| {
            syn::Error::new(
                e.span(),
                "a resource begins with its URI, as in `#[resource(\"notes://note/{id}\")]`",
            )
        };
        let uri = input.parse::<LitStr>().map_err(no_uri)?;
        let mut words = Self { uri, title: None, mime_type: None, name: None };
        while !input.is_empty() {
            input.parse::<Token![,]>()?;
            if input.is_empty() {
                break;
            }
            let word: Ident = input.parse()?;
            let place = match word.to_string().as_str() {
                "title" => &mut words.title,
                "mime_type" => &mut words.mime_type,
                "name" => &mut words.name,
                _ => return Err(syn::Error::new(word.span(), WORDS)),
            };
            input.parse::<Token![=]>()?;
            if place.replace(input.parse()?).is_some() {
                return Err(syn::Error::new(word.span(), "it stands here twice"));
            }
        }
        Ok(words)
    }
}

pub(crate) fn resources(block: TokenStream) -> Result<TokenStream> {
    let mut block = plain_block(block)?;
    let (mut rows, mut targets, mut names) = (Vec::new(), Vec::new(), Names::default());
    for it in &mut block.items {
        if let ImplItem::Fn(function) = it
            && let Some(at) = position(function, "resource")
        {
            let words: Words = function.attrs.remove(at).parse_args()?;
            names.insert("resources", &words.uri.value(), &words.uri)?;
            rows.push(row(function, &words)?);
            targets.push(target(function, &words)?);
        }
    }
    let completions = Completions::of(&mut block, &targets)?;
    let server = &block.self_ty;
    let completions = completions.to_function(server, "__drydock_resource_completions");
    Ok(quote! {
        const _: () = {
            #block

            impl #server {
                #[doc(hidden)]
                pub(crate) fn __drydock_resources() -> &'static [::drydock_kit::__private::Resource<Self>] {
                    static ROWS: &[::drydock_kit::__private::Resource<#server>] = &[#(#rows),*];
                    ROWS
                }
            }

            #completions
        };
    })
}

/// For what completes its `{..}`.
fn target(function: &ImplItemFn, words: &Words) -> Result<Target> {
    let arguments = Arguments::Named(variables(&words.uri)?);
    Ok(Target { function: function.sig.ident.clone(), name: words.uri.value(), arguments })
}

fn row(function: &ImplItemFn, words: &Words) -> Result<TokenStream> {
    let uri = &words.uri;
    let about = description(function, "for whoever chooses among resources")?;
    let variables = variables(uri)?;
    let arguments = arguments(function, &variables, uri)?;
    let call = &function.sig.ident;
    let own = call.to_string();
    let name = words.name.as_ref().map_or_else(|| quote!(#own), |it| quote!(#it));
    let option = |it: &Option<Expr>| it.as_ref().map_or_else(|| quote!(None), |it| quote!(Some(#it)));
    let (title, mime_type) = (option(&words.title), option(&words.mime_type));
    let wait = function.sig.asyncness.map(|_| quote!(.await));
    let values = arguments.iter().map(|name| {
        let place = variables.iter().position(|it| name == it);
        let name = name.to_string();
        quote!(::drydock_kit::__private::argument(#name, &values[#place])?)
    });
    Ok(quote! {
        ::drydock_kit::__private::Resource {
            uri: #uri,
            name: #name,
            title: #title,
            description: #about,
            mime_type: #mime_type,
            read: |server, values| ::std::boxed::Box::pin(async move {
                let _ = &values;
                ::drydock_kit::__private::ResourceText::text(server.#call(#(#values),*)#wait)
            }),
        }
    })
}

/// The names in `{..}`.
fn variables(uri: &LitStr) -> Result<Vec<String>> {
    let text = uri.value();
    let wrong = |why: &str| Err(syn::Error::new(uri.span(), why));
    if !text.contains("://") {
        return wrong("a URI has a scheme, as in `notes://all`");
    }
    let mut names: Vec<String> = Vec::new();
    let mut pieces = text.split('{').skip(1).peekable();
    while let Some(piece) = pieces.next() {
        let Some((name, rest)) = piece.split_once('}') else { return wrong("a `{` has no `}`") };
        if syn::parse_str::<Ident>(name).is_err() {
            return wrong("in `{..}` stands the name of an argument, and nothing else");
        }
        if names.iter().any(|it| it == name) {
            return wrong("a name stands here twice");
        }
        let is_last = rest.is_empty() && pieces.peek().is_none();
        if !(is_last || rest.starts_with(['/', '?', '#'])) {
            return wrong("behind `{..}` comes `/`, or nothing: else nobody knows where a value ends");
        }
        names.push(name.to_owned());
    }
    Ok(names)
}

/// The function's arguments, each of which the URI names.
fn arguments(function: &ImplItemFn, variables: &[String], uri: &LitStr) -> Result<Vec<Ident>> {
    let mut names = Vec::new();
    for it in &function.sig.inputs {
        let FnArg::Typed(it) = it else { continue };
        let name = match &*it.pat {
            Pat::Ident(name) if variables.iter().any(|known| name.ident == known) => name.ident.clone(),
            other => {
                return Err(syn::Error::new_spanned(other, "the URI has no `{..}` of this argument's name"));
            }
        };
        names.push(name);
    }
    match variables.iter().find(|known| names.iter().all(|it| it != known)) {
        Some(it) => Err(syn::Error::new(uri.span(), format!("the function has no argument `{it}`"))),
        None => Ok(names),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(block: TokenStream) -> String {
        resources(block).unwrap_err().to_string()
    }

    #[test]
    fn mistakes_are_told() {
        let plain = "fn it(&self) {}";
        for (words, function, expected) in [
            (r#"title = "x""#, plain, "begins with its URI"),
            (r#""notes""#, plain, "a URI has a scheme"),
            (r#""a://b", titel = "x""#, plain, "known here are the URI"),
            (r#""a://b", name = "x", name = "y""#, plain, "stands here twice"),
            (r#""a://{id""#, plain, "has no `}`"),
            (r#""a://{id}{b}""#, plain, "behind `{..}` comes"),
            (r#""a://{id}/{id}""#, plain, "twice"),
            (r#""a://{id}""#, plain, "no argument `id`"),
            (r#""a://b""#, "fn it(&self, id: String) {}", "has no `{..}` of this"),
        ] {
            let [words, function] = [words, function].map(|it| it.parse::<TokenStream>().unwrap());
            let told = problem(quote! { impl Notes { #[doc = "It."] #[resource(#words)] #function } });
            assert!(told.contains(expected), "{told}");
        }
        let told = problem(quote! { impl Notes { #[resource("a://b")] fn it(&self) {} } });
        assert!(told.contains("`it` has no description"), "{told}");
    }

    #[test]
    fn a_function_is_a_row_and_its_arguments_stand_in_any_order() {
        let rows = resources(quote! {
            impl Notes {
                /// One line.
                #[resource("notes://{day}/{line}", mime_type = "text/plain")]
                async fn line(&self, line: u32, day: String) -> String {}
            }
        });
        let text = rows.unwrap().to_string().replace(' ', "");
        for part in [
            "uri:\"notes://{day}/{line}\",name:\"line\",title:None",
            "argument(\"line\",&values[1usize])?,",
            "argument(\"day\",&values[0usize])?).await",
        ] {
            assert!(text.contains(part), "{text}");
        }
    }
}

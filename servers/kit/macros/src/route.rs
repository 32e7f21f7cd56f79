//! The way from a call to a tool's function, and back.
//!
//! A function -> what rmcp's router holds of it. Invariant: each argument, the result and the error is converted on its own, at the
//! place where its type is written, so that the compiler says there which type cannot be converted: rmcp's own way is one bound
//! on the whole function, of which nobody can tell which part is broken.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{FnArg, GenericArgument, ImplItemFn, PathArguments, ReturnType, Type};

/// For rmcp's `ToolRouter::with_route`.
pub(crate) fn route(function: &ImplItemFn) -> TokenStream {
    let name = &function.sig.ident;
    let described = format_ident!("{name}_tool_attr");
    let context = Ident::new("context", Span::mixed_site());
    let types = function.sig.inputs.iter().filter_map(|it| match it {
        FnArg::Typed(it) => Some(&*it.ty),
        FnArg::Receiver(_) => None,
    });
    let taken: Vec<_> = types.map(|it| taken(it, &context)).collect();
    let arguments: Vec<_> = (0..taken.len()).map(|it| format_ident!("argument_{it}")).collect();
    let wait = function.sig.asyncness.map(|_| quote!(.await));
    let given = given(&function.sig.output);
    quote! {
        rmcp::handler::server::router::tool::ToolRoute::new_dyn(
            Self::#described(),
            |mut #context: rmcp::handler::server::tool::ToolCallContext<'_, Self>| {
                #(let #arguments = #taken;)*
                let server = #context.service;
                ::std::boxed::Box::pin(async move {
                    let given = Self::#name(server #(, #arguments?)*)#wait;
                    #given
                })
            },
        )
    }
}

/// What kit's `Parameters` needs is said by its own bounds; of what else a tool may take, kit says what that is.
fn taken(written: &Type, context: &Ident) -> TokenStream {
    let (it, place) = (named(written), written.span());
    match it.is_some_and(|it| it == "Parameters") {
        true => quote_spanned!(place=> <#written as rmcp::handler::server::common::FromContextPart<_>>::from_context_part(&mut #context)),
        false => quote_spanned!(place=> <#written as ::drydock_kit::__private::Argument<_>>::take(&mut #context)),
    }
}

/// `given` as rmcp's response.
fn given(output: &ReturnType) -> TokenStream {
    let ReturnType::Type(_, written) = output else { return converted(None, &quote!(given)) };
    match result(written) {
        None => converted(Some(written), &quote!(given)),
        Some((good, bad)) => {
            let (it, problem) = (Ident::new("it", good.span()), Ident::new("it", bad.span()));
            let good = converted(Some(good), &quote!(#it));
            let bad = converted(Some(bad), &quote!(#problem));
            quote! {
                let given: ::std::result::Result<_, rmcp::model::CallToolResponse> = match given {
                    ::std::result::Result::Ok(#it) => ::std::result::Result::Ok(#good?),
                    ::std::result::Result::Err(#problem) => ::std::result::Result::Err(#bad?),
                };
                rmcp::handler::server::tool::IntoCallToolResult::into_call_tool_result(given)
            }
        }
    }
}

fn converted(written: Option<&Type>, value: &TokenStream) -> TokenStream {
    let place = written.map_or_else(Span::call_site, Spanned::span);
    // What `Json` needs is said by its own bounds.
    let is_known = written.is_none_or(|it| named(it).is_some_and(|it| it == "Json"));
    match is_known {
        true => quote_spanned!(place=> rmcp::handler::server::tool::IntoCallToolResult::into_call_tool_result(#value)),
        false => quote_spanned!(place=> ::drydock_kit::__private::Given::give(#value)),
    }
}

/// The last word of a type's path.
fn named(written: &Type) -> Option<&Ident> {
    match written {
        Type::Path(it) => it.path.segments.last().map(|it| &it.ident),
        _ => None,
    }
}

/// The two types of a `Result`.
fn result(written: &Type) -> Option<(&Type, &Type)> {
    let Type::Path(it) = written else { return None };
    let last = it.path.segments.last().filter(|it| it.ident == "Result")?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    let mut types = arguments.args.iter();
    match (types.next()?, types.next()?) {
        (GenericArgument::Type(good), GenericArgument::Type(bad)) => Some((good, bad)),
        _ => None,
    }
}

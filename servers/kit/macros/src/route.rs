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
    let types = function.sig.inputs.iter().filter_map(|it| match it {
        FnArg::Typed(it) => Some(&*it.ty),
        FnArg::Receiver(_) => None,
    });
    let (mut taken_all, mut arguments) = (Vec::new(), Vec::new());
    for (index, written) in types.enumerate() {
        let argument = Ident::new(&format!("argument_{index}"), place(written));
        let value = taken(written);
        taken_all.push(quote_spanned!(place(written)=> let #argument = #value;));
        arguments.push(quote_spanned!(place(written)=> #argument?));
    }
    let mutable = (!arguments.is_empty()).then(|| quote!(mut));
    let given = given(function, &arguments);
    let at = match &function.sig.output {
        ReturnType::Type(_, written) => place(written),
        ReturnType::Default => place(name),
    };
    let pinned = quote_spanned!(at=> ::std::boxed::Box::pin(async move { #given }));
    quote! {
        rmcp::handler::server::router::tool::ToolRoute::new_dyn(
            Self::#described(),
            |#mutable context: rmcp::handler::server::tool::ToolCallContext<'_, Self>| {
                #(#taken_all)*
                let server = context.service;
                #pinned
            },
        )
    }
}

/// Where something is written; with the names of what we write.
pub(crate) fn place(written: &impl Spanned) -> Span {
    Span::call_site().located_at(written.span())
}

/// An expression begins with it, and so does what the compiler points at.
fn kit(place: Span) -> TokenStream {
    quote_spanned!(place=> ::drydock_kit::__private)
}

/// What kit's `Parameters` needs is said by its own bounds; of what else a tool may take, kit says what that is.
fn taken(written: &Type) -> TokenStream {
    let kit = kit(place(written));
    match named(written).map(ToString::to_string).as_deref() {
        Some("Parameters") => {
            quote_spanned!(place(written)=> <#written as #kit::FromContextPart<_>>::from_context_part(&mut context))
        }
        // By its name, as the capability that belongs to it (`notifier.rs`).
        Some("ResourceNotifier") => quote_spanned!(place(written)=> #kit::resource_notifier(&mut context)),
        _ => quote_spanned!(place(written)=> <#written as #kit::Argument<_>>::take(&mut context)),
    }
}

/// What a call gives, as rmcp's response.
fn given(function: &ImplItemFn, arguments: &[TokenStream]) -> TokenStream {
    let name = &function.sig.ident;
    let call = |place: Span| match function.sig.asyncness {
        Some(_) => quote_spanned!(place=> Self::#name(server, #(#arguments),*).await),
        None => quote_spanned!(place=> Self::#name(server, #(#arguments),*)),
    };
    let ReturnType::Type(_, written) = &function.sig.output else {
        let (kit, call) = (kit(place(name)), call(place(name)));
        return quote!(#kit::IntoCallToolResult::into_call_tool_result(#call));
    };
    let (at, kit, call) = (place(written), kit(place(written)), call(place(written)));
    let Some((good, bad)) = result(written) else {
        let value = Ident::new("given", at);
        let converted = converted(written, &value);
        return quote_spanned!(at=> let #value = #call; #converted);
    };
    let (value, problem) = (Ident::new("value", place(good)), Ident::new("problem", place(bad)));
    let (good, bad) = (converted(good, &value), converted(bad, &problem));
    quote_spanned! {at=>
        #kit::IntoCallToolResult::into_call_tool_result(match #call {
            ::std::result::Result::Ok(#value) => ::std::result::Result::Ok(#good?),
            ::std::result::Result::Err(#problem) => ::std::result::Result::Err(#bad?),
        })
    }
}

fn converted(written: &Type, value: &Ident) -> TokenStream {
    let kit = kit(place(written));
    // What `Json` needs is said by its own bounds.
    match named(written).is_some_and(|it| it == "Json") {
        true => quote_spanned!(place(written)=> #kit::IntoCallToolResult::into_call_tool_result(#value)),
        false => quote_spanned!(place(written)=> #kit::Given::give(#value)),
    }
}

/// The last word of a type's path.
pub(crate) fn named(written: &Type) -> Option<&Ident> {
    match written {
        Type::Path(it) => it.path.segments.last().map(|it| &it.ident),
        _ => None,
    }
}

/// The two types of a `Result`.
fn result(written: &Type) -> Option<(&Type, &Type)> {
    match types_of(written, "Result")?[..] {
        [good, bad] => Some((good, bad)),
        _ => None,
    }
}

/// The types in the brackets of a type of that name: `T` of `Parameters<T>`.
pub(crate) fn types_of<'a>(written: &'a Type, name: &str) -> Option<Vec<&'a Type>> {
    let Type::Path(it) = written else { return None };
    let last = it.path.segments.last().filter(|it| it.ident == name)?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    let types = arguments.args.iter().map(|it| match it {
        GenericArgument::Type(it) => Some(it),
        _ => None,
    });
    types.collect()
}

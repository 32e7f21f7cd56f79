//! Prompts: functions that a person picks from a menu.
//!
//! `#[prompt]` functions -> the same under rmcp's attributes, and what completes their arguments. Invariant: what clients call a prompt is
//! what rmcp makes of its function.

use proc_macro2::TokenStream;
use quote::quote;
use syn::punctuated::Punctuated;
use syn::{Expr, ExprLit, FnArg, ImplItem, ImplItemFn, Lit, Meta, Result, Token, Type};

use crate::complete::{Arguments, Completions, Target};
use crate::route::types_of;
use crate::server::plain_block;
use crate::tool::{Names, position};

pub(crate) fn prompts(block: TokenStream) -> Result<TokenStream> {
    let mut block = plain_block(block)?;
    let functions = block.items.iter().filter_map(|it| match it {
        ImplItem::Fn(function) => target(function),
        _ => None,
    });
    let targets: Vec<_> = functions.collect();
    let mut names = Names::default();
    for it in &targets {
        names.insert("prompts", &it.name, &it.function)?;
    }
    let completions = Completions::of(&mut block, &targets)?;
    let completions = completions.to_function(&block.self_ty, "__drydock_prompt_completions");
    Ok(quote! {
        const _: () = {
            use ::drydock_kit::__private::rmcp;
            use rmcp::prompt;

            #[rmcp::prompt_router(router = "__drydock_prompts", vis = "pub(crate)")]
            #block

            #completions
        };
    })
}

/// For what completes its arguments, if it is a prompt.
fn target(function: &ImplItemFn) -> Option<Target> {
    let attribute = &function.attrs[position(function, "prompt")?];
    let words = attribute.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated);
    // What is wrong with the words is said by rmcp's own attribute.
    let renamed = words.into_iter().flatten().find_map(|it| match it {
        Meta::NameValue(it) if it.path.is_ident("name") => match it.value {
            Expr::Lit(ExprLit { lit: Lit::Str(name), .. }) => Some(name.value()),
            _ => None,
        },
        _ => None,
    });
    let fields = function.sig.inputs.iter().find_map(fields);
    let arguments = fields.map_or(Arguments::Named(Vec::new()), |it| Arguments::Fields(Box::new(it.clone())));
    let name = renamed.unwrap_or_else(|| function.sig.ident.to_string());
    Some(Target { function: function.sig.ident.clone(), name, arguments })
}

/// `T` of `Parameters<T>`.
fn fields(argument: &FnArg) -> Option<&Type> {
    let FnArg::Typed(it) = argument else { return None };
    types_of(&it.ty, "Parameters")?.first().copied()
}

//! An impl block as a server.
//!
//! `impl Dice { .. }` -> the same block, its tools under rmcp's attribute, a router of them, and `impl ServerHandler` and
//! `impl Server for Dice`. Invariant: routers are made once in a process, not at each call, as rmcp's own attributes do.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{ImplItem, ImplItemFn, Item, ItemImpl, Result, Type};

use crate::notifier::{self, takes_notifier};
use crate::route::route;
use crate::settings::Settings;
use crate::tool::{self, Names};

pub(crate) fn server(settings: TokenStream, block: TokenStream) -> Result<TokenStream> {
    let settings: Settings = syn::parse2(settings)?;
    let mut block = plain_block(block)?;
    let mut handlers = take_handlers(&mut block);
    let (mut routes, mut names, mut notifies) = (Vec::new(), Names::default(), false);
    for it in &mut block.items {
        if let ImplItem::Fn(function) = it
            && tool::mend(function, &mut names)?
        {
            routes.push(route(function));
            notifies |= takes_notifier(function);
        }
    }
    let server = &block.self_ty;
    let tools = (!routes.is_empty()).then(|| quote!(all.tools = Some(Default::default());));
    let more = match notifies {
        true => (notifier::capability(), notifier::methods(&mut handlers)),
        false => Default::default(),
    };
    let handler = handler(server, &settings, &quote!(#tools), &more, &handlers);
    Ok(quote! {
        const _: () = {
            use ::drydock_kit::__private::{NoCompletions as _, NoPrompts as _, NoResources as _, rmcp};

            #block

            impl #server {
                fn __drydock_tools() -> rmcp::handler::server::router::tool::ToolRouter<Self> {
                    rmcp::handler::server::router::tool::ToolRouter::new()#(.with_route(#routes))*
                }
            }

            #handler
        };
    })
}

/// What stands under the attribute, as a server without tools: so that one mistake in it is not followed by others that are none.
pub(crate) fn without_tools(item: TokenStream) -> TokenStream {
    let (generics, server) = match syn::parse2::<Item>(item.clone()) {
        Ok(Item::Impl(block)) if block.trait_.is_none() => (block.generics, block.self_ty.to_token_stream()),
        Ok(Item::Struct(it)) => (it.generics, it.ident.to_token_stream()),
        Ok(Item::Enum(it)) => (it.generics, it.ident.to_token_stream()),
        _ => return item,
    };
    let item = plain(item);
    let (generics, _, conditions) = generics.split_for_impl();
    quote! {
        #item
        impl #generics ::drydock_kit::__private::rmcp::ServerHandler for #server #conditions {}
        impl #generics ::drydock_kit::Server for #server #conditions {
            fn implementation() -> ::drydock_kit::__private::rmcp::model::Implementation {
                Default::default()
            }
        }
    }
}

/// What stands under an attribute of ours, as if there were none in it either.
pub(crate) fn plain(item: TokenStream) -> TokenStream {
    syn::parse2::<ItemImpl>(item.clone()).map_or(item, |block| plain_functions(block).to_token_stream())
}

fn plain_functions(mut block: ItemImpl) -> ItemImpl {
    for it in &mut block.items {
        if let ImplItem::Fn(function) = it {
            for name in ["tool", "handler", "prompt", "resource", "complete"] {
                while let Some(at) = tool::position(function, name) {
                    function.attrs.remove(at);
                }
            }
        }
    }
    block
}

/// `ServerHandler`, whose methods for tools and prompts rmcp writes.
fn handler(
    server: &Type,
    settings: &Settings,
    tools: &TokenStream,
    (capability, methods): &(TokenStream, TokenStream),
    handlers: &[ImplItemFn],
) -> TokenStream {
    let has = |names: &[&str]| handlers.iter().any(|it| names.iter().any(|name| it.sig.ident == name));
    let is_resource = has(&["list_resources", "list_resource_templates", "read_resource"]);
    let resources = if is_resource {
        quote!(all.resources = Some(Default::default());)
    } else {
        quote! {
            if !<#server>::__drydock_resources().is_empty() {
                all.resources = Some(Default::default());
            }
        }
    };
    let resource_handlers = unless_there(resource_handlers(server), handlers);
    let is_completing = if has(&["complete"]) { quote!(true) } else { is_completing(server) };
    let completion_handler = unless_there([("complete", completion_handler(server))], handlers);
    let routers = routers(server);
    let named = named(server, settings);
    let instructions = settings.instructions.as_ref().map(|it| quote!(.with_instructions(#it)));
    quote! {
        #routers

        #named

        #[rmcp::tool_handler(router = tools())]
        #[rmcp::prompt_handler(router = prompts())]
        impl rmcp::ServerHandler for #server {
            fn get_info(&self) -> rmcp::model::ServerConfig {
                let mut all = rmcp::model::ServerCapabilities::default();
                #tools
                #resources
                #capability
                if #is_completing {
                    all.completions = Some(Default::default());
                }
                if !prompts().list_all().is_empty() {
                    all.prompts = Some(Default::default());
                }
                let server = <Self as ::drydock_kit::Server>::implementation();
                rmcp::model::ServerConfig::new(all).with_server_info(server) #instructions
            }

            #resource_handlers

            #completion_handler

            #methods

            #(#handlers)*
        }
    }
}

/// What it is called, whatever its settings are.
fn named(server: &Type, settings: &Settings) -> TokenStream {
    let title = settings.title.as_ref().map(|it| quote!(.with_title(#it)));
    quote! {
        impl ::drydock_kit::Server for #server {
            fn implementation() -> rmcp::model::Implementation {
                rmcp::model::Implementation::new(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION")) #title
            }
        }
    }
}

/// Made when they are first asked for, once in a process.
fn routers(server: &Type) -> TokenStream {
    quote! {
        fn tools() -> &'static rmcp::handler::server::router::tool::ToolRouter<#server> {
            static TOOLS: ::std::sync::OnceLock<rmcp::handler::server::router::tool::ToolRouter<#server>> =
                ::std::sync::OnceLock::new();
            TOOLS.get_or_init(<#server>::__drydock_tools)
        }

        fn prompts() -> &'static rmcp::handler::server::router::prompt::PromptRouter<#server> {
            static PROMPTS: ::std::sync::OnceLock<rmcp::handler::server::router::prompt::PromptRouter<#server>> =
                ::std::sync::OnceLock::new();
            PROMPTS.get_or_init(<#server>::__drydock_prompts)
        }
    }
}

/// The methods that a server has not written itself.
pub(crate) fn unless_there<const N: usize>(
    methods: [(&str, TokenStream); N],
    handlers: &[ImplItemFn],
) -> TokenStream {
    let is_there = |name: &str| handlers.iter().any(|it| it.sig.ident == name);
    methods.into_iter().filter(|(name, _)| !is_there(name)).map(|(_, method)| method).collect()
}

/// What lists and reads the rows of a `#[resources]` block, if there is one.
fn resource_handlers(server: &Type) -> [(&'static str, TokenStream); 3] {
    let rows = quote!(<#server>::__drydock_resources());
    let list = quote! {
        async fn list_resources(
            &self,
            _page: Option<rmcp::model::PaginatedRequestParams>,
            _context: rmcp::service::RequestContext<rmcp::RoleServer>,
        ) -> Result<rmcp::model::ListResourcesResult, rmcp::ErrorData> {
            ::drydock_kit::__private::list_resources(#rows)
        }
    };
    let templates = quote! {
        async fn list_resource_templates(
            &self,
            _page: Option<rmcp::model::PaginatedRequestParams>,
            _context: rmcp::service::RequestContext<rmcp::RoleServer>,
        ) -> Result<rmcp::model::ListResourceTemplatesResult, rmcp::ErrorData> {
            ::drydock_kit::__private::list_resource_templates(#rows)
        }
    };
    let read = quote! {
        async fn read_resource(
            &self,
            args: rmcp::model::ReadResourceRequestParams,
            _context: rmcp::service::RequestContext<rmcp::RoleServer>,
        ) -> Result<rmcp::model::ReadResourceResponse, rmcp::ErrorData> {
            ::drydock_kit::__private::read_resource(#rows, self, &args.uri).await
        }
    };
    [("list_resources", list), ("list_resource_templates", templates), ("read_resource", read)]
}

/// Whether there are `#[complete]` functions.
fn is_completing(server: &Type) -> TokenStream {
    quote! {
        !(<#server>::__drydock_prompt_completions().is_empty() && <#server>::__drydock_resource_completions().is_empty())
    }
}

/// What finds the `#[complete]` function that is asked for, if there are any.
fn completion_handler(server: &Type) -> TokenStream {
    quote! {
        async fn complete(
            &self,
            args: rmcp::model::CompleteRequestParams,
            _context: rmcp::service::RequestContext<rmcp::RoleServer>,
        ) -> Result<rmcp::model::CompleteResult, rmcp::ErrorData> {
            ::drydock_kit::__private::Completions {
                prompts: prompts(),
                resources: <#server>::__drydock_resources(),
                of_prompts: <#server>::__drydock_prompt_completions(),
                of_resources: <#server>::__drydock_resource_completions(),
            }
            .complete(self, args)
            .await
        }
    }
}

/// The functions that are methods of `ServerHandler`, out of the block.
fn take_handlers(block: &mut ItemImpl) -> Vec<ImplItemFn> {
    let (mut handlers, mut others) = (Vec::new(), Vec::new());
    for it in std::mem::take(&mut block.items) {
        match it {
            ImplItem::Fn(mut function) => match tool::position(&function, "handler") {
                Some(at) => {
                    function.attrs.remove(at);
                    handlers.push(function);
                }
                None => others.push(ImplItem::Fn(function)),
            },
            other => others.push(other),
        }
    }
    block.items = others;
    handlers
}

/// `impl Type { .. }`: routers are statics, which know no generics.
pub(crate) fn plain_block(block: TokenStream) -> Result<ItemImpl> {
    let block = match syn::parse2::<Item>(block)? {
        Item::Impl(block) => block,
        other => {
            let problem = "a server is an `impl` block, which holds its tools: the attribute stands there";
            return Err(syn::Error::new_spanned(other, problem));
        }
    };
    if let Some((_, path, _)) = &block.trait_ {
        return Err(syn::Error::new_spanned(path, "a server is an `impl` of its own type, not of a trait"));
    }
    if !block.generics.params.is_empty() {
        return Err(syn::Error::new_spanned(
            &block.generics,
            "a server's type has no generics: write out which one it is",
        ));
    }
    Ok(block)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_plain_block_is_a_server() {
        for (block, expected) in [
            (quote!(impl Clone for Dice {}), "not of a trait"),
            (
                quote!(
                    impl<T> Dice<T> {}
                ),
                "no generics",
            ),
            (
                quote!(
                    struct Dice;
                ),
                "the attribute stands there",
            ),
            (
                quote! {
                    impl Dice {
                        /// Rolls.
                        #[tool]
                        fn roll(&self) {}
                        /// Rolls again.
                        #[tool(name = "roll")]
                        fn again(&self) {}
                    }
                },
                "two tools are called `roll`",
            ),
        ] {
            let problem = server(TokenStream::new(), block).unwrap_err().to_string();
            assert!(problem.contains(expected), "{problem}");
        }
        let problem = server(quote!(titel = "x"), quote!(impl Dice {})).unwrap_err().to_string();
        assert!(problem.contains("known here are `title"), "{problem}");
    }

    #[test]
    fn a_capability_is_there_for_what_is_there() {
        let with = |block| server(TokenStream::new(), block).unwrap().to_string();
        let bare = with(quote!(impl Dice {}));
        assert!(
            !bare.contains("all . tools") && bare.contains("__drydock_resources () . is_empty"),
            "{bare}"
        );
        let all = with(quote! {
            impl Dice {
                /// Rolls.
                #[tool]
                fn roll(&self) {}
                #[handler]
                async fn read_resource(&self) {}
            }
        });
        assert!(all.contains("all . tools") && all.contains("all . resources"), "{all}");
        assert!(!all.contains("__private :: read_resource"), "{all}");
        assert!(all.contains("__private :: list_resources"), "the others stay kit's: {all}");
    }

    #[test]
    fn a_tool_with_a_notifier_makes_a_server_that_tells_of_resources() {
        let with = |block| server(TokenStream::new(), block).unwrap().to_string().replace(' ', "");
        let all = with(quote! {
            impl Dice {
                /// Rolls.
                #[tool]
                fn roll(&self, resources: drydock_kit::ResourceNotifier) {}
                #[handler]
                async fn on_initialized(&self, context: Context) {
                    ready();
                }
            }
        });
        for part in [
            "resources.list_changed=Some(true)",
            "__private::resource_notifier(&mutcontext)",
            "fnlisten(",
            "{::drydock_kit::__private::initialized();ready();}",
        ] {
            assert!(all.contains(part), "{part}: {all}");
        }
        assert_eq!(all.matches("fnon_initialized").count(), 1);
        let bare = with(quote! {
            impl Dice {
                /// Rolls.
                #[tool]
                fn roll(&self) {}
            }
        });
        assert!(
            !bare.contains("list_changed") && !bare.contains("fnlisten(") && !bare.contains("initialized")
        );
    }
}

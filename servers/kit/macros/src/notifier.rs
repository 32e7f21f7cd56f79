//! A server that tells when its resources change: one with a tool that takes a `ResourceNotifier`.
//!
//! Tools -> the capabilities and the methods of `ServerHandler` that belong to it. Invariant: a server without such a tool has none
//! of them, and none has such a tool without them.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{FnArg, ImplItemFn, parse_quote};

use crate::route::named;
use crate::server::unless_there;

/// Whether a tool takes one.
pub(crate) fn takes_notifier(tool: &ImplItemFn) -> bool {
    tool.sig.inputs.iter().any(|it| match it {
        FnArg::Typed(it) => named(&it.ty).is_some_and(|it| it == "ResourceNotifier"),
        FnArg::Receiver(_) => false,
    })
}

/// What the server says of itself.
pub(crate) fn capability() -> TokenStream {
    quote! {
        let resources = all.resources.get_or_insert_default();
        resources.list_changed = Some(true);
        resources.subscribe = Some(true);
    }
}

/// The methods, but for those that the server has itself.
pub(crate) fn methods(handlers: &mut [ImplItemFn]) -> TokenStream {
    let kit = quote!(::drydock_kit::__private);
    if let Some(own) = handlers.iter_mut().find(|it| it.sig.ident == "on_initialized") {
        own.block.stmts.insert(0, parse_quote!(#kit::initialized();));
    }
    let methods = [
        ("on_initialized", on_initialized(&kit)),
        ("subscribe", subscribe(&kit)),
        ("unsubscribe", unsubscribe(&kit)),
        ("accepted_subscription_filter", accepted()),
        ("listen", listen(&kit)),
    ];
    unless_there(methods, handlers)
}

fn on_initialized(kit: &TokenStream) -> TokenStream {
    quote! {
        async fn on_initialized(&self, _context: rmcp::service::NotificationContext<rmcp::RoleServer>) {
            #kit::initialized();
        }
    }
}

fn subscribe(kit: &TokenStream) -> TokenStream {
    quote! {
        async fn subscribe(
            &self,
            args: rmcp::model::SubscribeRequestParams,
            _context: rmcp::service::RequestContext<rmcp::RoleServer>,
        ) -> Result<(), rmcp::ErrorData> {
            #kit::subscribe(args.uri)
        }
    }
}

fn unsubscribe(kit: &TokenStream) -> TokenStream {
    quote! {
        async fn unsubscribe(
            &self,
            args: rmcp::model::UnsubscribeRequestParams,
            _context: rmcp::service::RequestContext<rmcp::RoleServer>,
        ) -> Result<(), rmcp::ErrorData> {
            #kit::unsubscribe(&args.uri);
            Ok(())
        }
    }
}

/// rmcp leaves of it what the server says that it tells.
fn accepted() -> TokenStream {
    quote! {
        fn accepted_subscription_filter(
            &self,
            asked: &rmcp::model::SubscriptionFilter,
        ) -> Option<rmcp::model::SubscriptionFilter> {
            Some(asked.clone())
        }
    }
}

fn listen(kit: &TokenStream) -> TokenStream {
    quote! {
        async fn listen(&self, context: rmcp::service::SubscriptionContext) -> Result<(), rmcp::ErrorData> {
            #kit::listen(context).await
        }
    }
}

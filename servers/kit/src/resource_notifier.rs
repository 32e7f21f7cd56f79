//! Telling clients that resources have changed.
//!
//! A tool's word -> `notifications/resources/list_changed` and `updated`. Invariants: a client is told what it has asked for, in its
//! revision's way; nothing before it has said `initialized`, and nothing after the end of its input.
//!
//! Up to 2025-11-25, the list is told unasked and a resource after `resources/subscribe`. From 2026-07-28 on, both are asked for by
//! `subscriptions/listen`, and say by whose.

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rmcp::handler::server::common::AsRequestContext;
use rmcp::handler::server::tool::ToolCallContext;
use rmcp::model::ResourceUpdatedNotificationParam;
use rmcp::service::{SubscriptionContext, SubscriptionSink};
use rmcp::{ErrorData, Peer, RoleServer};
use tokio_util::sync::CancellationToken;

use crate::draining;

/// URIs that a client may have subscribed to.
const MAX_URIS: usize = 1024;

/// Tells the client that resources have changed: an argument of a tool, beside `Parameters`.
///
/// ```
/// # use drydock_kit::prelude::*;
/// use drydock_kit::ResourceNotifier;
/// # struct Notes;
/// # #[server]
/// # impl Notes {
/// /// Throws all notes away.
/// #[tool]
/// async fn clear(&self, resources: ResourceNotifier) -> String {
///     // .. and here they are thrown away.
///     resources.list_changed().await;
///     resources.updated("notes://all").await;
///     "done".to_owned()
/// }
/// # }
/// ```
///
/// A server with such a tool says that it tells this (`listChanged` and `subscribe`); `#[server]` knows the argument by its type's
/// name. What changes the list is a `#[handler] async fn list_resources`: what a `#[resources]` block lists is always the same.
///
/// It may be cloned, and taken along to a task that goes on after the call. It is this session's: each client has a session of its own.
#[derive(Debug, Clone)]
pub struct ResourceNotifier {
    peer: Peer<RoleServer>,
    session: Arc<Subscriptions>,
}

impl ResourceNotifier {
    /// Tells that there are other resources than before.
    pub async fn list_changed(&self) {
        let sending = async {
            if self.has_handshake() {
                let _ = self.peer.notify_resource_list_changed().await;
            }
            for sink in self.session.sinks() {
                let _ = sink.notify_resource_list_changed().await; // unless it has not asked for that
            }
        };
        draining::until(&self.session.draining, sending).await;
    }

    /// Tells that what is read by this URI is not what it was.
    pub async fn updated(&self, uri: &str) {
        let sending = async {
            if self.has_handshake() && self.session.state().uris.contains(uri) {
                let _ = self.peer.notify_resource_updated(ResourceUpdatedNotificationParam::new(uri)).await;
            }
            for sink in self.session.sinks() {
                let _ = sink.notify_resource_updated(uri).await;
            }
        };
        draining::until(&self.session.draining, sending).await;
    }

    /// Whether the client speaks a revision with `initialize`, and has said `initialized`.
    fn has_handshake(&self) -> bool {
        self.session.state().is_initialized && self.peer.peer_info().is_some()
    }
}

/// What the client of a session wants to be told.
#[derive(Debug)]
struct Subscriptions {
    draining: CancellationToken,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    is_initialized: bool,
    uris: BTreeSet<String>,
    sinks: Vec<SubscriptionSink>,
}

thread_local! {
    /// Made when a tool or the client first asks for it; a session has a thread of its own.
    static SESSION: OnceCell<Arc<Subscriptions>> = const { OnceCell::new() };
}

impl Subscriptions {
    fn of_session() -> Arc<Self> {
        let make = || Arc::new(Self { draining: draining::token(), state: Mutex::default() });
        SESSION.with(|it| it.get_or_init(make).clone())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sinks(&self) -> Vec<SubscriptionSink> {
        self.state().sinks.clone()
    }
}

/// For a tool of a server that says that it tells such things.
#[doc(hidden)]
pub fn resource_notifier<S>(context: &mut ToolCallContext<'_, S>) -> Result<ResourceNotifier, ErrorData> {
    let peer = context.as_request_context().peer.clone();
    Ok(ResourceNotifier { peer, session: Subscriptions::of_session() })
}

/// The client is ready.
#[doc(hidden)]
pub fn initialized() {
    Subscriptions::of_session().state().is_initialized = true;
}

/// `resources/subscribe`, of the revisions with `initialize`.
#[doc(hidden)]
pub fn subscribe(uri: String) -> Result<(), ErrorData> {
    let session = Subscriptions::of_session();
    let mut state = session.state();
    if state.uris.len() >= MAX_URIS && !state.uris.contains(&uri) {
        let problem =
            format!("no more than {MAX_URIS} resources can be subscribed to: unsubscribe from some");
        return Err(ErrorData::invalid_request(problem, None));
    }
    state.uris.insert(uri);
    Ok(())
}

/// `resources/unsubscribe`.
#[doc(hidden)]
pub fn unsubscribe(uri: &str) {
    Subscriptions::of_session().state().uris.remove(uri);
}

/// `subscriptions/listen`: until the client has heard enough, or its input ends.
#[doc(hidden)]
pub async fn listen(context: SubscriptionContext) -> Result<(), ErrorData> {
    let session = Subscriptions::of_session();
    let sink = context.sink().clone();
    let id = sink.id().clone();
    session.state().sinks.push(sink);
    draining::until(&session.draining, context.cancelled()).await;
    session.state().sinks.retain(|it| *it.id() != id);
    Ok(())
}

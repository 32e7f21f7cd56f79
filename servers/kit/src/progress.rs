//! How far a call is, for a client that wants to show it.
//!
//! Steps of a tool -> `notifications/progress`. Invariants: a client that did not ask is told nothing, and none after the end of its
//! input; what is told only grows, and comes at most ten times a second.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rmcp::handler::server::common::{AsRequestContext, FromContextPart};
use rmcp::model::{ProgressNotificationParam, ProgressToken};
use rmcp::{ErrorData, Peer, RoleServer};
use tokio_util::sync::CancellationToken;

use crate::draining;

const MIN_INTERVAL: Duration = Duration::from_millis(100);

/// How far a call is: an argument of a tool, beside `Parameters`.
///
/// ```
/// # use drydock_kit::prelude::*;
/// # use drydock_kit::Progress;
/// # struct Files;
/// # #[server]
/// # impl Files {
/// /// Looks at all files.
/// #[tool(read_only)]
/// async fn look(&self, progress: Progress) -> String {
///     for file in 0..100_u32 {
///         progress.report(f64::from(file), Some(100.0), "files looked at").await;
///         // .. and here one file is looked at.
///     }
///     "done".to_owned()
/// }
/// # }
/// ```
///
/// A client that cancels the call drops the tool where it waits, as in `report`: there is nothing to look for.
#[derive(Debug)]
pub struct Progress {
    peer: Peer<RoleServer>,
    token: Option<ProgressToken>,
    draining: CancellationToken,
    last: Mutex<Option<(f64, Instant)>>,
}

impl Progress {
    /// Tells that `done` of `total` is done, in whatever unit, and in words what is.
    ///
    /// What comes too soon after the last one, or is no more than that, is left out.
    pub async fn report(&self, done: f64, total: Option<f64>, message: &str) {
        let Some(token) = self.token.clone().filter(|_| self.is_due(done, Instant::now())) else { return };
        let mut progress = ProgressNotificationParam::new(token, done).with_message(message);
        progress.total = total;
        let sending = async {
            // A client that is gone ends the call in its own way.
            let _ = self.peer.notify_progress(progress).await;
        };
        draining::until(&self.draining, sending).await;
    }

    fn is_due(&self, done: f64, now: Instant) -> bool {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = last.is_none_or(|(told, at)| done > told && now.duration_since(at) >= MIN_INTERVAL);
        if is_due {
            *last = Some((done, now));
        }
        is_due
    }
}

impl<C: AsRequestContext> FromContextPart<C> for Progress {
    fn from_context_part(context: &mut C) -> Result<Self, ErrorData> {
        let context = context.as_request_context();
        let token = context.meta.get_progress_token();
        let peer = context.peer.clone();
        Ok(Self { peer, token, draining: draining::token(), last: Mutex::default() })
    }
}

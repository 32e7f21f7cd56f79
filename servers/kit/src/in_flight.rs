//! The requests of a session that are not answered yet.
//!
//! Requests in, answers out -> who may answer. Invariant: a request is taken out once, and whoever takes it out answers it:
//! so it is never answered twice, though the session's thread and the watchdog both may.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use drydock_runtime::log::{self, Log, Outcome};
use rmcp::model::{ClientRequest, GetMeta, RequestId};

/// A request that was read.
#[derive(Debug)]
pub(crate) struct Request {
    /// What rmcp knows it by.
    pub(crate) id: RequestId,
    /// As the client wrote it, if rmcp cannot hold that.
    pub(crate) raw_id: Option<Box<str>>,
    pub(crate) method: String,
    /// The tool or prompt that it names.
    tool: Option<String>,
    /// Its `_meta` names no revision, or one before 2026-07-28.
    pub(crate) is_legacy: bool,
    start: Instant,
    /// The client does not want the answer, and will not get one.
    is_cancelled: AtomicBool,
    /// The log has a line of it.
    is_logged: AtomicBool,
}

impl Request {
    pub(crate) fn new(id: RequestId, raw_id: Option<Box<str>>, request: &ClientRequest) -> Self {
        let tool = match request {
            ClientRequest::CallToolRequest(it) => Some(it.params.name.to_string()),
            ClientRequest::GetPromptRequest(it) => Some(it.params.name.clone()),
            _ => None,
        };
        let revision = request.get_meta().protocol_version();
        Self {
            id,
            raw_id,
            method: request.method().to_owned(),
            tool,
            is_legacy: revision.is_none_or(|it| it.has_initialize()),
            start: Instant::now(),
            is_cancelled: AtomicBool::new(false),
            is_logged: AtomicBool::new(false),
        }
    }

    /// A line in the log that says what came of it; the first is the last.
    pub(crate) fn log_to(&self, log: &Log, outcome: &Outcome) {
        if self.is_logged.swap(true, Ordering::Relaxed) {
            return;
        }
        log.request(log::Request {
            method: &self.method,
            tool: self.tool.as_deref(),
            id: &self.shown_id(),
            elapsed: self.start.elapsed(),
            outcome,
        });
    }

    fn shown_id(&self) -> String {
        self.raw_id.as_deref().map_or_else(|| self.id.to_string(), |it| it.trim_matches('"').to_owned())
    }

    pub(crate) fn is_call(&self) -> bool {
        self.method == "tools/call"
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.is_cancelled.load(Ordering::Relaxed)
    }

    /// It is answered when something happens, not soon.
    fn is_subscription(&self) -> bool {
        self.method == "subscriptions/listen"
    }

    /// What a person knows it by.
    pub(crate) fn name(&self) -> String {
        let tool = self.tool.as_deref().map(|it| format!(" {it}")).unwrap_or_default();
        format!("{}{tool} id={}", self.method, self.shown_id())
    }
}

/// Requests of a session that may be open at the same time, calls that wait among them.
const MAX_OPEN: usize = 1024;

/// Why a request is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The id is one of a request that is open.
    Duplicate,
    TooMany,
}

/// All that are not answered.
#[derive(Debug, Default)]
pub(crate) struct InFlight(Mutex<Vec<Arc<Request>>>);

impl InFlight {
    fn open(&self) -> MutexGuard<'_, Vec<Arc<Request>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn insert(&self, request: Request) -> Result<(), Refusal> {
        let mut open = self.open();
        let is_same = |it: &Arc<Request>| match &request.raw_id {
            Some(raw) => it.raw_id.as_ref() == Some(raw),
            None => it.id == request.id,
        };
        if open.iter().any(is_same) {
            return Err(Refusal::Duplicate);
        }
        if open.len() >= MAX_OPEN {
            return Err(Refusal::TooMany);
        }
        open.push(Arc::new(request));
        Ok(())
    }

    /// What rmcp knows a request by whose id it cannot hold.
    pub(crate) fn id_of_raw(&self, raw: &str) -> Option<RequestId> {
        self.open().iter().find(|it| it.raw_id.as_deref() == Some(raw)).map(|it| it.id.clone())
    }

    pub(crate) fn get(&self, id: &RequestId) -> Option<Arc<Request>> {
        self.open().iter().find(|it| it.id == *id).cloned()
    }

    /// Takes a request out, to answer it.
    pub(crate) fn take(&self, id: &RequestId) -> Option<Arc<Request>> {
        let mut open = self.open();
        let index = open.iter().position(|it| it.id == *id)?;
        Some(open.swap_remove(index))
    }

    /// The code of a request has come to its end; says whether nobody else has answered it.
    pub(crate) fn finish(&self, request: &Arc<Request>) -> bool {
        let mut open = self.open();
        let Some(index) = open.iter().position(|it| Arc::ptr_eq(it, request)) else { return false };
        if request.is_cancelled() {
            open.swap_remove(index); // rmcp drops the answer
        }
        true
    }

    pub(crate) fn cancel(&self, id: &RequestId) {
        if let Some(request) = self.get(id) {
            request.is_cancelled.store(true, Ordering::Relaxed);
        }
    }

    /// Takes out what is older than `age`, to answer it: calls, or all that should have been answered.
    pub(crate) fn take_late(&self, age: Duration, only_calls: bool) -> Vec<Arc<Request>> {
        let is_late = |it: &mut Arc<Request>| {
            let may_wait = it.is_cancelled() || it.is_subscription() || (only_calls && !it.is_call());
            !may_wait && it.start.elapsed() >= age
        };
        self.open().extract_if(.., is_late).collect()
    }

    pub(crate) fn take_all(&self) -> Vec<Arc<Request>> {
        std::mem::take(&mut *self.open())
    }

    /// The same, unless somebody is just at it.
    pub(crate) fn try_take_all(&self) -> Vec<Arc<Request>> {
        self.0.try_lock().map(|mut open| std::mem::take(&mut *open)).unwrap_or_default()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.open().is_empty()
    }
}

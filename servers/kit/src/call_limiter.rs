//! What stands between every request and the server: the log, the deadline, the cap on concurrent calls, mended schemas.
//!
//! Request -> the server's answer, or an error in its place. Invariants: a call ends by its deadline, a cancelled one is
//! dropped at once, and with it whatever it was waiting for (an outbound HTTP request, say), and no more calls wait
//! than `MAX_QUEUED`: the next one is told to come again.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

use drydock_runtime::args::Options;
use drydock_runtime::log::{Log, Outcome, escape};
use rmcp::model::{
    CallToolResult, ClientNotification, ClientRequest, ContentBlock, ErrorCode, JsonObject, ProtocolVersion,
    ServerConfig, ServerResult,
};
use rmcp::service::{NotificationContext, RequestContext, Service};
use rmcp::{ErrorData, RoleServer, ServerHandler};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::answer::time_is_over;
use crate::arguments::prepare;
use crate::in_flight::{InFlight, Request};
use crate::log;
use crate::parameters::INVALID_ARGUMENTS;
use crate::permits::Permits;
use crate::schema::mend_input;
use crate::structured;
use crate::watchdog::Vitals;

/// Calls that may wait for their turn beside those that run.
const MAX_QUEUED: usize = 256;

pub(crate) struct CallLimiter<H> {
    server: H,
    /// For calls that run or wait.
    queue_permits: Arc<Permits>,
    /// For calls that run.
    run_permits: Semaphore,
    call_timeout: Duration,
    log: Log,
    in_flight: Arc<InFlight>,
    vitals: Arc<Vitals>,
    /// What the tools that were called take, as clients are told of it.
    schemas: Mutex<BTreeMap<String, Arc<JsonObject>>>,
}

/// What the server answers.
type Answer = Result<ServerResult, ErrorData>;

/// Why a call has no answer of the server.
#[derive(Debug)]
enum Interruption {
    Busy,
    TimedOut(Duration),
    Cancelled,
    Panicked,
}

impl<H: ServerHandler> CallLimiter<H> {
    pub(crate) fn new(
        server: H,
        options: &Options,
        log: Log,
        in_flight: Arc<InFlight>,
        vitals: Arc<Vitals>,
    ) -> Self {
        Self {
            server,
            queue_permits: Permits::new(options.max_calls + MAX_QUEUED),
            run_permits: Semaphore::new(options.max_calls),
            call_timeout: options.call_timeout,
            log,
            in_flight,
            vitals,
            schemas: Mutex::default(),
        }
    }

    /// Nothing of a tool that is not there: rmcp says so.
    fn schema(&self, tool: &str) -> Option<Arc<JsonObject>> {
        let mut schemas = self.schemas.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = schemas.get(tool) {
            return Some(found.clone());
        }
        let made = Arc::new(mend_input(&self.server.get_tool(tool)?.input_schema));
        schemas.insert(tool.to_owned(), made.clone());
        Some(made)
    }

    /// A call's arguments, checked.
    fn prepare(&self, request: &mut ClientRequest) -> Result<(), String> {
        let ClientRequest::CallToolRequest(call) = request else { return Ok(()) };
        let schema = self.schema(&call.params.name);
        schema.map_or(Ok(()), |schema| prepare(&schema, &mut call.params.arguments))
    }

    pub(crate) fn queue_permits(&self) -> Arc<Permits> {
        self.queue_permits.clone()
    }

    async fn handle(&self, request: ClientRequest, context: RequestContext<RoleServer>) -> Answer {
        let is_call = matches!(request, ClientRequest::CallToolRequest(_));
        let entry = self.in_flight.get(&context.id);
        let answer = self.scope(entry.as_ref(), pin!(self.answer(request, context))).await;
        if let Some(entry) = entry.filter(|it| self.in_flight.finish(it)) {
            entry.log_to(&self.log, &outcome(&answer));
        }
        answer.unwrap_or_else(|why| why.into_answer(is_call))
    }

    async fn answer(
        &self,
        request: ClientRequest,
        context: RequestContext<RoleServer>,
    ) -> Result<Answer, Interruption> {
        match request {
            ClientRequest::CallToolRequest(_) => self.call(request, context).await,
            other => Ok(self.dispatch(other, context).await),
        }
    }

    /// Boxed: rmcp's future has room for what any request needs (3 KB), and would be moved with each of those around it.
    fn dispatch(
        &self,
        request: ClientRequest,
        context: RequestContext<RoleServer>,
    ) -> Pin<Box<impl Future<Output = Answer>>> {
        Box::pin(self.server.handle_request(request, context))
    }

    /// rmcp does not say which tool it is that it does not know.
    fn name_unknown(&self, name: &str, error: ErrorData) -> ErrorData {
        if error.code != ErrorCode::INVALID_PARAMS || self.server.get_tool(name).is_some() {
            return error;
        }
        ErrorData { message: format!("{}: `{}`", error.message, escape(name)).into(), ..error }
    }

    /// Lets the log and the watchdog know whose code runs, and catches its panics. Pinned, as in `log::scope`.
    async fn scope<T>(
        &self,
        entry: Option<&Arc<Request>>,
        mut work: Pin<&mut impl Future<Output = Result<T, Interruption>>>,
    ) -> Result<T, Interruption> {
        poll_fn(|cx| {
            let mut poll = || catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(cx)));
            let run = || log::sync_scope(&self.log, || self.vitals.run(entry, &mut poll));
            let polled = structured::scope(entry.is_some_and(|it| it.is_call()), run);
            polled.unwrap_or(Poll::Ready(Err(Interruption::Panicked)))
        })
        .await
    }

    /// Runs a tool within its deadline; the wait for its turn counts.
    async fn call(
        &self,
        mut request: ClientRequest,
        context: RequestContext<RoleServer>,
    ) -> Result<Answer, Interruption> {
        let Some(_queued) = self.queue_permits.try_acquire() else { return Err(Interruption::Busy) };
        let cancelled = context.ct.clone();
        let name = match &request {
            ClientRequest::CallToolRequest(it) => it.params.name.clone(),
            _ => Cow::default(),
        };
        let work = async {
            let _running = self.run_permits.acquire().await;
            if let Err(problem) = self.prepare(&mut request) {
                return Ok(tool_error(problem));
            }
            let answer = self.dispatch(request, context).await;
            answer.or_else(answer_invalid_arguments).map_err(|e| self.name_unknown(&name, e))
        };
        tokio::select! {
            biased;
            () = cancelled.cancelled() => Err(Interruption::Cancelled),
            done = timeout(self.call_timeout, work) => {
                done.map_err(|_| Interruption::TimedOut(self.call_timeout))
            }
        }
    }
}

/// The model that called can read a result, and correct itself; a protocol error is its client's.
fn answer_invalid_arguments(error: ErrorData) -> Answer {
    match error.code {
        INVALID_ARGUMENTS => Ok(tool_error(error.message)),
        _ => Err(error),
    }
}

fn tool_error(text: impl Into<String>) -> ServerResult {
    ServerResult::CallToolResult(CallToolResult::error(vec![ContentBlock::text(text)]))
}

/// What the log says of an answer: never the answer itself.
fn outcome(answer: &Result<Answer, Interruption>) -> Outcome {
    match answer {
        Ok(Ok(ServerResult::CallToolResult(it))) if it.is_error == Some(true) => Outcome::ToolError,
        Ok(Ok(_)) => Outcome::Ok,
        Ok(Err(error)) => Outcome::ProtocolError(error.code.0.to_string().into()),
        Err(Interruption::Busy) => Outcome::Busy,
        Err(Interruption::TimedOut(_)) => Outcome::TimedOut,
        Err(Interruption::Cancelled) => Outcome::Cancelled,
        Err(Interruption::Panicked) => Outcome::Panicked,
    }
}

impl Interruption {
    /// What the client is told. Only calls are interrupted, but any request may panic.
    fn into_answer(self, is_call: bool) -> Answer {
        let text = match self {
            Self::Busy => {
                format!(
                    "the server is busy: {MAX_QUEUED} calls of this session wait already; try again later"
                )
            }
            Self::TimedOut(after) => time_is_over(after),
            Self::Cancelled => return Err(ErrorData::internal_error("cancelled", None)),
            Self::Panicked => "the server panicked at this request; its log says where".to_owned(),
        };
        if !is_call {
            return Err(ErrorData::internal_error(text, None));
        }
        Ok(tool_error(text))
    }
}

impl<H: ServerHandler> Service<RoleServer> for CallLimiter<H> {
    /// Boxed: rmcp makes a task of it, which tokio moves several times.
    fn handle_request(
        &self,
        request: ClientRequest,
        context: RequestContext<RoleServer>,
    ) -> impl Future<Output = Answer> + Send + '_ {
        Box::pin(self.handle(request, context))
    }

    async fn handle_notification(
        &self,
        notification: ClientNotification,
        context: NotificationContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        log::scope(&self.log, pin!(self.server.handle_notification(notification, context))).await
    }

    fn get_info(&self) -> ServerConfig {
        self.server.get_info()
    }

    fn supported_protocol_versions(&self) -> Cow<'static, [ProtocolVersion]> {
        ServerHandler::supported_protocol_versions(&self.server)
    }
}

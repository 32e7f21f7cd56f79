//! What stands between every request and the server: the log, the deadline, the cap on concurrent calls.
//!
//! Request -> the server's answer, or an error in its place. Invariants: a call ends by its deadline, a cancelled one is
//! dropped at once, and with it whatever it was waiting for (an outbound HTTP request, say), and no more calls wait
//! than `QUEUE`: the next one is told to come again.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use drydock_runtime::args::Options;
use drydock_runtime::log;
use rmcp::model::{
    CallToolResult, ClientNotification, ClientRequest, ContentBlock, ProtocolVersion, ServerConfig,
    ServerResult,
};
use rmcp::service::{NotificationContext, RequestContext, Service};
use rmcp::{ErrorData, RoleServer, ServerHandler};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::load::Load;

/// Calls that may wait for their turn beside those that run.
const QUEUE: usize = 256;

pub(crate) struct Guard<H> {
    server: H,
    /// Places for calls that run or wait.
    places: Arc<Load>,
    /// Turns: calls that run.
    turns: Semaphore,
    call_timeout: Duration,
}

impl<H: ServerHandler> Guard<H> {
    pub(crate) fn new(server: H, options: &Options) -> Self {
        Self {
            server,
            places: Load::new(options.max_calls + QUEUE),
            turns: Semaphore::new(options.max_calls),
            call_timeout: options.call_timeout,
        }
    }

    pub(crate) fn places(&self) -> Arc<Load> {
        self.places.clone()
    }

    /// Runs a tool within its deadline; the wait for its turn counts.
    async fn call(
        &self,
        request: ClientRequest,
        context: RequestContext<RoleServer>,
    ) -> Result<ServerResult, ErrorData> {
        let Some(_place) = self.places.try_take() else {
            return Ok(refusal(format!(
                "{BUSY}: {QUEUE} calls of this session wait already; try again later"
            )));
        };
        let cancelled = context.ct.clone();
        let work = async {
            let _turn = self.turns.acquire().await;
            self.server.handle_request(request, context).await
        };
        tokio::select! {
            biased;
            () = cancelled.cancelled() => Err(ErrorData::internal_error(CANCELLED, None)),
            done = timeout(self.call_timeout, work) => done.unwrap_or_else(|_| {
                let secs = self.call_timeout.as_secs();
                Ok(refusal(format!("{TIMED_OUT} after {secs} s; it was cancelled")))
            }),
        }
    }
}

fn refusal(text: String) -> ServerResult {
    ServerResult::CallToolResult(CallToolResult::error(vec![ContentBlock::text(text)]))
}

const BUSY: &str = "the server is busy";
const CANCELLED: &str = "cancelled";
const TIMED_OUT: &str = "the call timed out";

impl<H: ServerHandler> Service<RoleServer> for Guard<H> {
    async fn handle_request(
        &self,
        request: ClientRequest,
        context: RequestContext<RoleServer>,
    ) -> Result<ServerResult, ErrorData> {
        let start = Instant::now();
        let method = Cow::<str>::from(request.method().to_owned());
        let tool = subject(&request).map(str::to_owned);
        let id = context.id.to_string();
        let result = match request {
            ClientRequest::CallToolRequest(_) => self.call(request, context).await,
            other => self.server.handle_request(other, context).await,
        };
        log::request(log::Request {
            method: &method,
            tool: tool.as_deref(),
            id: &id,
            elapsed: start.elapsed(),
            outcome: &outcome(&result),
        });
        result
    }

    async fn handle_notification(
        &self,
        notification: ClientNotification,
        context: NotificationContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.server.handle_notification(notification, context).await
    }

    fn get_info(&self) -> ServerConfig {
        self.server.get_info()
    }

    fn supported_protocol_versions(&self) -> Cow<'static, [ProtocolVersion]> {
        ServerHandler::supported_protocol_versions(&self.server)
    }
}

/// The tool or prompt that a request names.
fn subject(request: &ClientRequest) -> Option<&str> {
    match request {
        ClientRequest::CallToolRequest(it) => Some(&it.params.name),
        ClientRequest::GetPromptRequest(it) => Some(&it.params.name),
        _ => None,
    }
}

/// What the log says of an answer: never the answer itself.
fn outcome(result: &Result<ServerResult, ErrorData>) -> Cow<'static, str> {
    match result {
        Ok(ServerResult::CallToolResult(it)) if it.is_error == Some(true) => {
            let text = it.content.first().and_then(|it| it.as_text()).map_or("", |it| &it.text);
            match text {
                _ if text.starts_with(BUSY) => "busy".into(),
                _ if text.starts_with(TIMED_OUT) => "timed out".into(),
                _ => "tool error".into(),
            }
        }
        Ok(_) => "ok".into(),
        Err(e) if e.message == CANCELLED => "cancelled".into(),
        Err(e) => format!("error {}", e.code.0).into(),
    }
}

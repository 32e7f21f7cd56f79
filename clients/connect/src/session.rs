//! One session with one server: open, list, call, close.
//!
//! A [`Target`] and [`Options`] -> a [`Session`]. Invariants: every step has a time limit and can be interrupted; a
//! session whose connection failed has already ended its server.

use std::{
    collections::HashSet,
    ffi::OsString,
    future::Future,
    time::{Duration, Instant},
};

use rmcp::{
    ServiceError,
    model::{
        CallToolRequestParams, CallToolResponse, CallToolResult, ErrorCode, JsonObject,
        PaginatedRequestParams, Tool,
    },
    transport::async_rw::AsyncRwTransport,
};
use tokio_util::sync::CancellationToken;

use crate::{
    child::Child,
    failure::{Failure, Step, chain},
    handshake::{Agreed, Protocol, Refusal, Service, shake_hands},
    http,
};

/// A server that never ends its list would keep us for ever.
const MOST_PAGES: usize = 1_000;
/// For telling an HTTP server that its session is over, or letting go of a command's pipes.
const FAREWELL: Duration = Duration::from_secs(2);
/// A call that is given up is cancelled by a task of rmcp's, which has to come to its turn before the connection ends.
const ONE_TURN: Duration = Duration::from_millis(50);

/// Where the server is.
#[derive(Clone, Debug)]
pub enum Target {
    /// A program and its arguments: started as a child, MCP on its stdin and stdout.
    Command(Vec<OsString>),
    /// Streamable HTTP. Headers as in `Authorization: Bearer ${TOKEN}`: a `${NAME}` is a variable of our environment.
    Url { url: String, headers: Vec<String> },
}

#[derive(Clone, Debug)]
pub struct Options {
    pub protocol: Protocol,
    /// For each step: start, handshake, list, call.
    pub timeout: Duration,
    /// Cancel it, and the step under way fails; the server is ended as always.
    pub stop: CancellationToken,
}

impl Default for Options {
    fn default() -> Self {
        Self { protocol: Protocol::Auto, timeout: Duration::from_secs(30), stop: CancellationToken::new() }
    }
}

#[derive(Debug)]
pub struct Session {
    service: Service,
    child: Option<Child>,
    agreed: Agreed,
    options: Options,
    took: Vec<(Step, Duration)>,
}

impl Session {
    /// Starts or reaches the server and agrees on a version.
    ///
    /// With [`Protocol::Auto`], a server that cannot take `server/discover` (some end themselves at it) is asked a
    /// second time, from the start, with `initialize`.
    pub async fn open(target: &Target, options: &Options) -> Result<Self, Failure> {
        match attempt(target, options, options.protocol).await {
            Err((_, true)) if options.protocol == Protocol::Auto => {
                attempt(target, options, Protocol::V2025_11_25).await.map_err(|(failure, _)| failure)
            }
            it => it.map_err(|(failure, _)| failure),
        }
    }

    pub fn agreed(&self) -> &Agreed {
        &self.agreed
    }

    /// How long each step so far has taken.
    pub fn took(&self) -> &[(Step, Duration)] {
        &self.took
    }

    /// All tools, from all pages.
    pub async fn tools(&mut self) -> Result<Vec<Tool>, Failure> {
        if !self.agreed.has_tools {
            return Ok(Vec::new());
        }
        let begun = Instant::now();
        let listed = within(&self.options, Step::List, all_pages(&self.service)).await;
        self.took.push((Step::List, begun.elapsed()));
        match listed {
            Ok(Ok(tools)) => Ok(tools),
            Ok(Err(PageError::Service(err))) => Err(self.broken(Step::List, err).await),
            Ok(Err(PageError::Endless(reason))) => Err(self.fatal(Failure::new(Step::List, reason)).await),
            Err(failure) => Err(self.fatal(failure).await),
        }
    }

    /// One call. What the tool itself reports as an error (`isError`) is a result here.
    pub async fn call(&mut self, tool: &str, arguments: JsonObject) -> Result<CallToolResult, Failure> {
        let params = CallToolRequestParams::new(tool.to_owned()).with_arguments(arguments);
        let begun = Instant::now();
        let answered = within(&self.options, Step::Call, self.service.peer().call_tool_once(params)).await;
        self.took.push((Step::Call, begun.elapsed()));
        match answered {
            Ok(Ok(CallToolResponse::Complete(result))) => Ok(result),
            Ok(Ok(CallToolResponse::InputRequired(_))) => {
                Err(Failure::new(Step::Call, "the tool asks for more input, which this client cannot give"))
            }
            Ok(Ok(_)) => Err(Failure::new(
                Step::Call,
                "the tool answers with a task, which this client does not follow",
            )),
            Ok(Err(err)) => Err(self.broken(Step::Call, err).await),
            Err(failure) => {
                tokio::time::sleep(ONE_TURN).await;
                Err(self.fatal(failure).await)
            }
        }
    }

    /// Says goodbye and ends the server that was started.
    pub async fn close(mut self) {
        self.end().await;
    }

    async fn end(&mut self) {
        let _late = self.service.close_with_timeout(FAREWELL).await;
        if let Some(child) = &mut self.child {
            child.end().await;
        }
    }

    /// An error answer leaves the session usable; everything else ends it.
    async fn broken(&mut self, step: Step, err: ServiceError) -> Failure {
        match err {
            ServiceError::McpError(error) => {
                let failure = Failure::new(
                    step,
                    format!("the server answered with error {}: {}", error.code.0, error.message),
                );
                match (step, error.code) {
                    (Step::Call, ErrorCode::INVALID_PARAMS) => {
                        failure.hint("`tools` lists what the server offers")
                    }
                    _ => failure,
                }
            }
            ServiceError::TransportClosed => self.lost(step, None).await,
            ServiceError::TransportSend(error) => {
                let why = Failure::new(step, http::explain(error.error.as_ref()));
                self.lost(step, Some(why)).await
            }
            ServiceError::UnexpectedResponse => {
                self.fatal(Failure::new(step, "the server's answer is not what MCP asks for")).await
            }
            other => self.fatal(Failure::new(step, chain(&other))).await,
        }
    }

    async fn lost(&mut self, step: Step, why: Option<Failure>) -> Failure {
        let failure = closed(self.child.as_mut(), step, why).await;
        self.fatal(failure).await
    }

    async fn fatal(&mut self, failure: Failure) -> Failure {
        self.end().await;
        with_last_words(self.child.as_mut(), failure).await
    }
}

/// One try with one lifecycle. The flag says whether `initialize` might get further.
async fn attempt(target: &Target, options: &Options, protocol: Protocol) -> Result<Session, (Failure, bool)> {
    let begun = Instant::now();
    let mut child = None;
    let shaken = match target {
        Target::Command(line) => {
            let (started, (stdout, stdin)) = Child::start(line).map_err(|failure| (failure, false))?;
            child = Some(started);
            let started = begun.elapsed();
            let transport = AsyncRwTransport::new_client(stdout, stdin);
            (started, within(options, Step::Handshake, shake_hands(transport, protocol)).await)
        }
        Target::Url { url, headers } => {
            let transport = http::transport(url, headers).map_err(|failure| (failure, false))?;
            (begun.elapsed(), within(options, Step::Handshake, shake_hands(transport, protocol)).await)
        }
    };
    let (started, shaken) = shaken;
    let (failure, again) = match shaken {
        Ok(Ok((service, agreed))) => {
            let took = vec![(Step::Start, started), (Step::Handshake, begun.elapsed() - started)];
            return Ok(Session { service, child, agreed, options: options.clone(), took });
        }
        Ok(Err(Refusal::Closed(why))) => {
            (closed(child.as_mut(), Step::Handshake, why).await, child.is_some())
        }
        Ok(Err(Refusal::OtherVersions(failure))) => (failure, true),
        Ok(Err(Refusal::Other(failure))) => (failure, false),
        Err(failure) => (failure, false),
    };
    if let Some(child) = &mut child {
        child.end().await;
    }
    Err((with_last_words(child.as_mut(), failure).await, again))
}

/// What closed the connection: a child's own end tells more than the transport knows.
async fn closed(child: Option<&mut Child>, step: Step, why: Option<Failure>) -> Failure {
    match child {
        Some(child) => {
            let (reason, hint) = child.obituary().await;
            Failure { hint, ..Failure::new(step, reason) }
        }
        None => why.unwrap_or_else(|| Failure::new(step, "the server closed the connection")),
    }
}

async fn with_last_words(child: Option<&mut Child>, mut failure: Failure) -> Failure {
    if let Some(child) = child {
        failure.stderr = child.stderr().await;
    }
    failure
}

/// `work`, unless the time is up or somebody wants us to stop.
async fn within<T>(options: &Options, step: Step, work: impl Future<Output = T>) -> Result<T, Failure> {
    tokio::select! {
        it = work => Ok(it),
        () = options.stop.cancelled() => Err(Failure::new(step, "interrupted")),
        () = tokio::time::sleep(options.timeout) => {
            let reason = format!("no answer within {} s", options.timeout.as_secs_f64());
            Err(Failure::new(step, reason).hint("`--timeout SECS` sets the limit for each step"))
        }
    }
}

enum PageError {
    Service(ServiceError),
    Endless(String),
}

async fn all_pages(service: &Service) -> Result<Vec<Tool>, PageError> {
    let mut tools = Vec::new();
    let mut cursor: Option<String> = None;
    let mut seen = HashSet::new();
    for _ in 0..MOST_PAGES {
        let params = PaginatedRequestParams::default().with_cursor(cursor.take());
        let page = service.peer().list_tools(Some(params)).await.map_err(PageError::Service)?;
        tools.extend(page.tools);
        let Some(next) = page.next_cursor else { return Ok(tools) };
        if !seen.insert(next.clone()) {
            return Err(PageError::Endless(format!("the list goes in a circle: page `{next}` came twice")));
        }
        cursor = Some(next);
    }
    Err(PageError::Endless(format!("the list has more than {MOST_PAGES} pages")))
}

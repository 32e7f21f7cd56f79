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
    error::{Error, ErrorKind, Step, error_chain},
    handshake::{HandshakeError, Negotiated, Protocol, Service, handshake},
    http,
    intake::{self, Intake, Limit, Limited},
};

/// For telling an HTTP server that its session is over, or letting go of a command's pipes.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(2);
/// For the task of rmcp's that tells the server that a call is cancelled, before the connection ends.
const CANCEL_GRACE: Duration = Duration::from_millis(50);

/// Where the server is.
#[derive(Clone, Debug)]
pub enum Target {
    /// A program and its arguments: started as a child, MCP on its stdin and stdout.
    Command(Vec<OsString>),
    /// Streamable HTTP. Headers as in `Authorization: Bearer ${TOKEN}`: a `${NAME}` is a variable of our environment.
    Url {
        /// `http` or `https`, without a user name and password.
        url: String,
        /// Sent with every request.
        headers: Vec<String>,
    },
}

/// How to hold a session.
#[derive(Clone, Debug)]
pub struct Options {
    /// Which version of the protocol to ask for.
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

/// An open session: the server, if we started it, ends with [`Session::close`] or this value.
#[derive(Debug)]
pub struct Session {
    service: Service,
    child: Option<Child>,
    intake: Intake,
    negotiated: Negotiated,
    options: Options,
    timings: Vec<(Step, Duration)>,
    first_try: Option<String>,
}

impl Session {
    /// Starts or reaches the server and agrees on a version.
    ///
    /// With [`Protocol::Auto`], a server that cannot take `server/discover` (some end themselves at it) is asked a
    /// second time, from the start, with `initialize`; one that answered it after more than 10 s, with `server/discover`
    /// alone. [`Session::first_try`] says why, and the handshake's time holds both.
    ///
    /// # Errors
    /// [`ErrorKind`] says which; a server that was started has ended by then.
    pub async fn open(target: &Target, options: &Options) -> Result<Self, Error> {
        let begun = Instant::now();
        let failed = match attempt(target, options, options.protocol, begun).await {
            Err(failed) if options.protocol == Protocol::Auto => failed,
            other => return other.map_err(|failed| failed.error),
        };
        let Some(protocol) = failed.try_again_with else { return Err(failed.error) };
        let session = attempt(target, options, protocol, begun).await.map_err(|failed| failed.error)?;
        Ok(Self { first_try: Some(failed.error.reason), ..session })
    }

    /// Why the server had to be asked a second time, from the start: as untrusted as all that it says.
    pub fn first_try(&self) -> Option<&str> {
        self.first_try.as_deref()
    }

    /// The server and the version of the protocol.
    pub fn negotiated(&self) -> &Negotiated {
        &self.negotiated
    }

    /// How long each step so far has taken.
    pub fn timings(&self) -> &[(Step, Duration)] {
        &self.timings
    }

    /// All tools, from all pages; none of a server without the capability.
    ///
    /// # Errors
    /// After [`ErrorKind::Rejected`] the session goes on; any other error has ended it.
    pub async fn tools(&mut self) -> Result<Vec<Tool>, Error> {
        if !self.negotiated.has_tools {
            return Ok(Vec::new());
        }
        self.intake.begin_step();
        let begun = Instant::now();
        let listed = with_timeout(&self.options, Step::List, list_all_pages(&self.service)).await;
        self.timings.push((Step::List, begun.elapsed()));
        match listed {
            Ok(Ok(tools)) => Ok(tools),
            Ok(Err(PageError::Service(err))) => Err(self.service_error(Step::List, err).await),
            Ok(Err(PageError::Circle(reason))) => {
                Err(self.end_with(Error::new(ErrorKind::Protocol, Step::List, reason)).await)
            }
            Ok(Err(PageError::Limit(limit))) => Err(self.end_with(limit.error(Step::List)).await),
            Err(error) => Err(self.end_with(error).await),
        }
    }

    /// One call. What the tool itself reports as an error (`isError`) is a result here.
    ///
    /// # Errors
    /// After [`ErrorKind::Rejected`] and [`ErrorKind::Unsupported`] the session goes on; any other error has ended it.
    pub async fn call(&mut self, tool: &str, arguments: JsonObject) -> Result<CallToolResult, Error> {
        let params = CallToolRequestParams::new(tool.to_owned()).with_arguments(arguments);
        self.intake.begin_step();
        let begun = Instant::now();
        let answered =
            with_timeout(&self.options, Step::Call, self.service.peer().call_tool_once(params)).await;
        self.timings.push((Step::Call, begun.elapsed()));
        match answered {
            Ok(Ok(CallToolResponse::Complete(result))) => Ok(result),
            Ok(Ok(CallToolResponse::InputRequired(_))) => {
                Err(unsupported("the tool asks for more input, which this client cannot give"))
            }
            Ok(Ok(_)) => Err(unsupported("the tool answers with a task, which this client does not follow")),
            Ok(Err(err)) => Err(self.service_error(Step::Call, err).await),
            Err(error) => {
                tokio::time::sleep(CANCEL_GRACE).await;
                Err(self.end_with(error).await)
            }
        }
    }

    /// Closes the connection and ends the server that was started.
    pub async fn close(mut self) {
        self.end().await;
    }

    async fn end(&mut self) {
        let _late = self.service.close_with_timeout(SHUTDOWN_TIMEOUT).await;
        if let Some(child) = &mut self.child {
            child.end().await;
        }
    }

    /// An error answer leaves the session usable; everything else ends it.
    async fn service_error(&mut self, step: Step, err: ServiceError) -> Error {
        if let Some(limit) = self.intake.reached() {
            return self.end_with(limit.error(step)).await;
        }
        match err {
            ServiceError::McpError(error) => {
                let reason = format!("the server answered with error {}: {}", error.code.0, error.message);
                let rejected = Error::new(ErrorKind::Rejected, step, reason);
                match (step, error.code) {
                    (Step::Call, ErrorCode::INVALID_PARAMS) => {
                        rejected.hint("`tools` lists what the server offers")
                    }
                    _ => rejected,
                }
            }
            ServiceError::TransportClosed => self.connection_lost(step, None).await,
            ServiceError::TransportSend(error) => {
                let why = http::error(step, error.error.as_ref());
                self.connection_lost(step, Some(why)).await
            }
            ServiceError::UnexpectedResponse => {
                let reason = "the server's answer is not what MCP asks for";
                self.end_with(Error::new(ErrorKind::Protocol, step, reason)).await
            }
            other => self.end_with(Error::new(ErrorKind::Protocol, step, error_chain(&other))).await,
        }
    }

    async fn connection_lost(&mut self, step: Step, why: Option<Error>) -> Error {
        let error = disconnected(self.child.as_mut(), step, why).await;
        self.end_with(error).await
    }

    async fn end_with(&mut self, error: Error) -> Error {
        self.end().await;
        with_stderr(self.child.as_mut(), error).await
    }
}

/// Why one try with one lifecycle failed.
struct FailedAttempt {
    error: Error,
    /// What might get further.
    try_again_with: Option<Protocol>,
}

impl From<Error> for FailedAttempt {
    fn from(error: Error) -> Self {
        Self { error, try_again_with: None }
    }
}

/// One try with one lifecycle. `begun`: when the first try was; the wait is counted from there.
async fn attempt(
    target: &Target,
    options: &Options,
    protocol: Protocol,
    begun: Instant,
) -> Result<Session, FailedAttempt> {
    let start = Instant::now();
    let intake = Intake::default();
    let mut child = None;
    let (started, outcome) = match target {
        Target::Command(line) => {
            let (process, (stdout, stdin)) = Child::start(line, &intake)?;
            child = Some(process);
            let started = start.elapsed();
            let transport =
                Limited { inner: AsyncRwTransport::new_client(stdout, stdin), intake: intake.clone() };
            (started, with_timeout(options, Step::Handshake, handshake(transport, protocol)).await)
        }
        Target::Url { url, headers } => {
            let transport = Limited { inner: http::transport(url, headers)?, intake: intake.clone() };
            let started = start.elapsed();
            (started, with_timeout(options, Step::Handshake, handshake(transport, protocol)).await)
        }
    };
    let (error, try_again_with) = match outcome {
        Ok(Ok((service, negotiated))) => {
            let timings = vec![(Step::Start, started), (Step::Handshake, begun.elapsed() - started)];
            let options = options.clone();
            return Ok(Session { service, child, intake, negotiated, options, timings, first_try: None });
        }
        Ok(Err(_)) if intake.reached().is_some() => {
            (intake.reached().unwrap_or(Limit::Step).error(Step::Handshake), None)
        }
        Ok(Err(HandshakeError::Closed(why))) => {
            let dies_of_discover = child.is_some().then_some(Protocol::V2025_11_25);
            (disconnected(child.as_mut(), Step::Handshake, why).await, dies_of_discover)
        }
        Ok(Err(HandshakeError::OtherVersions(error))) => (error, Some(Protocol::V2025_11_25)),
        Ok(Err(HandshakeError::LateDiscover(error))) => (error, Some(Protocol::V2026_07_28)),
        Ok(Err(HandshakeError::Other(error))) | Err(error) => (error, None),
    };
    if let Some(child) = &mut child {
        child.end().await;
    }
    Err(FailedAttempt { error: with_stderr(child.as_mut(), error).await, try_again_with })
}

/// What closed the connection: a child's own end tells more than the transport knows.
async fn disconnected(child: Option<&mut Child>, step: Step, why: Option<Error>) -> Error {
    match child {
        Some(child) => child.exit_reason(step).await,
        None => why
            .unwrap_or_else(|| Error::new(ErrorKind::Disconnected, step, "the server closed the connection")),
    }
}

async fn with_stderr(child: Option<&mut Child>, mut error: Error) -> Error {
    if let Some(child) = child {
        error.stderr = child.stderr().await;
    }
    error
}

fn unsupported(reason: &str) -> Error {
    Error::new(ErrorKind::Unsupported, Step::Call, reason)
}

/// `work`, unless the time is up or somebody wants us to stop.
async fn with_timeout<T>(options: &Options, step: Step, work: impl Future<Output = T>) -> Result<T, Error> {
    tokio::select! {
        it = work => Ok(it),
        () = options.stop.cancelled() => Err(Error::new(ErrorKind::Interrupted, step, "interrupted")),
        () = tokio::time::sleep(options.timeout) => {
            let reason = format!("no answer within {} s", options.timeout.as_secs_f64());
            Err(Error::new(ErrorKind::Timeout, step, reason).hint("`--timeout SECS` sets the limit for each step"))
        }
    }
}

enum PageError {
    Service(ServiceError),
    Limit(Limit),
    Circle(String),
}

async fn list_all_pages(service: &Service) -> Result<Vec<Tool>, PageError> {
    let mut tools = Vec::new();
    let mut cursor: Option<String> = None;
    let mut seen = HashSet::new();
    for pages in 1.. {
        let params = PaginatedRequestParams::default().with_cursor(cursor.take());
        let page = service.peer().list_tools(Some(params)).await.map_err(PageError::Service)?;
        tools.extend(page.tools);
        intake::check_list(pages, tools.len()).map_err(PageError::Limit)?;
        let Some(next) = page.next_cursor else { break };
        if !seen.insert(next.clone()) {
            return Err(PageError::Circle(format!("the list goes in a circle: page `{next}` came twice")));
        }
        cursor = Some(next);
    }
    Ok(tools)
}

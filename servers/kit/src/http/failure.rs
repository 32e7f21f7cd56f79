//! Why a request failed.
//!
//! An error of reqwest, a response or a refusal of ours -> a `Failure`; with who was asked, an [`HttpError`]. Invariant: no
//! path, query, password or header is in its words; what the service said is only in those for the model, not in the log's.

use std::error::Error;
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use rmcp::model::{ContentBlock, IntoContents};

use super::addresses::Forbidden;

/// Where services say why they refuse. Open-Meteo: `{"error": true, "reason": ".."}`.
const REASONS: [&str; 7] =
    ["/reason", "/message", "/error/message", "/error_description", "/detail", "/error", "/title"];

/// When another try may succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Retry {
    /// At once, or nearly.
    Soon,
    /// In a later call.
    Later,
    /// It may succeed twice: a POST has been sent, and nobody knows what became of it.
    Unsure,
    /// It may be done twice: a POST was answered with a success, but not as can be used.
    Done,
    Never,
}

/// Why one try failed.
#[derive(Debug, Clone)]
pub(super) struct Failure {
    /// The host that it was at, where that is not the one that was asked.
    pub(super) redirected_to: Option<String>,
    /// For the log, too: `answered HTTP 404 Not Found`.
    pub(super) what: String,
    /// What the service itself says of it, which may repeat what it was asked: not for the log.
    pub(super) reason: Option<String>,
    pub(super) status: Option<u16>,
    /// Whether the service has seen nothing of it.
    pub(super) is_unsent: bool,
    /// What the rules have refused.
    pub(super) forbidden: Option<IpAddr>,
    pub(super) retry: Retry,
    /// The time that the service asks for until the next try.
    pub(super) pause: Option<Duration>,
}

impl Failure {
    pub(super) fn new(what: impl Into<String>, retry: Retry) -> Self {
        Self {
            redirected_to: None,
            what: what.into(),
            reason: None,
            status: None,
            is_unsent: false,
            forbidden: None,
            retry,
            pause: None,
        }
    }

    /// No request was made of it.
    pub(super) fn unusable(why: &str) -> Self {
        Self::new(format!("cannot be asked: {why}"), Retry::Never)
    }

    /// The same, of a POST that was answered with this status before.
    pub(super) fn after(self, accepted: StatusCode) -> Self {
        Self { status: Some(accepted.as_u16()), retry: Retry::Done, ..self }
    }

    /// A response that is no success.
    pub(super) fn refused(status: StatusCode, headers: &HeaderMap, body: &str) -> Self {
        let body = serde_json::from_str::<serde_json::Value>(body).unwrap_or_default();
        let reason = REASONS.iter().find_map(|it| body.pointer(it)?.as_str()).map(|it| excerpt(it, 300));
        let what = if reason.is_some() { "refused with" } else { "answered" };
        let retry = match status {
            StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => Retry::Later,
            _ if status.is_server_error() => Retry::Soon,
            _ => Retry::Never,
        };
        let pause = headers.get(RETRY_AFTER).and_then(|it| it.to_str().ok()?.parse().ok());
        Self {
            reason,
            status: Some(status.as_u16()),
            pause: pause.map(Duration::from_secs),
            ..Self::new(format!("{what} HTTP {status}"), retry)
        }
    }
}

impl From<reqwest::Error> for Failure {
    fn from(error: reqwest::Error) -> Self {
        if let Some(forbidden) = find::<Forbidden>(&error) {
            return (*forbidden).into();
        }
        if error.is_builder() {
            return Self::unusable(&causes(&error));
        }
        let what = format!("could not be reached: {}", causes(&error));
        Self { is_unsent: error.is_connect(), ..Self::new(what, Retry::Soon) }
    }
}

impl From<Forbidden> for Failure {
    fn from(forbidden: Forbidden) -> Self {
        Self { forbidden: Some(forbidden.address), ..Self::new(forbidden.to_string(), Retry::Never) }
    }
}

/// Why there is no answer of an HTTP service: who was asked, what went wrong, whether a later call may succeed.
///
/// Its `Display` is for the model. A tool that returns `Result<_, HttpError>` or `Result<_, String>` passes it on with `?`.
#[derive(Debug, Clone)]
pub struct HttpError {
    who: String,
    failure: Failure,
    tries: u32,
}

impl HttpError {
    pub(super) fn new(who: String, failure: Failure, tries: u32) -> Self {
        Self { who, failure, tries }
    }

    /// The response's status, if there was a response and its status is the reason: 404, say. A success (201, say) is that of a POST
    /// whose answer is then of no use: it could not be read, or did not pass the check.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.failure.status
    }

    /// Whether the same call may succeed later. Of a POST that was sent, look first: it may have been done. One that was accepted is
    /// never such a call.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        !matches!(self.failure.retry, Retry::Done | Retry::Never)
    }
}

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Failure { redirected_to, what, reason, status, pause, retry, .. } = &self.failure;
        write!(f, "{} ", self.who)?;
        if let Some(host) = redirected_to {
            write!(f, "redirects to {host}, which ")?;
        }
        f.write_str(what)?;
        if let Some(reason) = reason {
            write!(f, ": {reason}")?;
        }
        match (retry, pause) {
            (Retry::Never, _) => Ok(()),
            (Retry::Done, _) => {
                let status = status.unwrap_or_default();
                write!(f, "; it had answered HTTP {status}, so what was asked may have been done")
            }
            (Retry::Unsure, _) => f.write_str("; what was asked may have been done all the same"),
            (_, Some(pause)) => write!(f, "; try again after {} s", pause.as_secs()),
            _ if self.tries > 1 => write!(f, "; tried {} times, a later call may succeed", self.tries),
            _ => f.write_str("; a later call may succeed"),
        }
    }
}

impl Error for HttpError {}

impl From<HttpError> for String {
    fn from(error: HttpError) -> Self {
        error.to_string()
    }
}

impl IntoContents for HttpError {
    fn into_contents(self) -> Vec<ContentBlock> {
        vec![ContentBlock::text(self.to_string())]
    }
}

/// Why, in an error's own words: reqwest's text alone does not say, and names the URL.
pub(super) fn causes(error: &reqwest::Error) -> String {
    chain(error).skip(1).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

fn find<T: Error + 'static>(error: &reqwest::Error) -> Option<&T> {
    chain(error).find_map(|it| it.downcast_ref())
}

fn chain(error: &reqwest::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    std::iter::successors(Some(error as &(dyn Error + 'static)), |&it| it.source())
}

/// Untrusted text for a message: one line, of at most so many characters.
pub(super) fn excerpt(text: &str, max: usize) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(max).collect()
}

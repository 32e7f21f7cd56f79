//! An HTTP client for tools (feature `http-client`).
//!
//! A URL -> text or a typed value, or an [`HttpError`] whose words are for the model. Invariant: no connection is made to an
//! address that is not public, unless `MCP_ALLOW_PRIVATE` names it, and what stands in a URL's path or query, or in a header, is
//! in no message and no log.
//!
//! ```no_run
//! use drydock_kit::http::HttpClient;
//! use drydock_kit::prelude::*;
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Deserialize, JsonSchema)]
//! struct Convert {
//!     /// An ISO 4217 code, as `EUR`.
//!     from: String,
//! }
//!
//! #[derive(Deserialize, Serialize, JsonSchema)]
//! struct Rates {
//!     date: String,
//!     rates: std::collections::BTreeMap<String, f64>,
//! }
//!
//! struct Currency {
//!     service: HttpClient,
//! }
//!
//! #[server(title = "Currency")]
//! impl Currency {
//!     /// Gets today's exchange rates of a currency.
//!     #[tool(read_only, open_world)]
//!     async fn rates(&self, Parameters(args): Parameters<Convert>) -> Result<Json<Rates>, String> {
//!         let rates: Rates = self.service.get("/v1/latest").query("base", &args.from).json().await?;
//!         Ok(Json(rates))
//!     }
//! }
//!
//! fn main() -> std::process::ExitCode {
//!     drydock_kit::main(|| Currency { service: HttpClient::of("Frankfurter", "https://api.frankfurter.dev") })
//! }
//! ```
//!
//! Its container needs `network = "internet"` in `drydock.toml`.
//!
//! # What it does by itself
//!
//! - A request has 20 s, its retries included ([`HttpClient::timeout`]), and a connection 5 s. A GET that could not be made,
//!   broke off or met an HTTP 5xx is made up to twice more, unless the service asks for a longer pause (`Retry-After`). A
//!   POST is made again only where no connection was made; where it was answered, but not as can be used, the error says that it
//!   may have been done.
//! - Of a response at most 1 MiB is read ([`HttpClient::max_bytes`]); it has to be UTF-8.
//! - Up to five redirects of a GET are followed, never from https to http. Headers and a password in the URL go to the host
//!   that was asked, and to no other.
//! - Responses that their service lets be reused (`Cache-Control: max-age`, or [`HttpClient::cache_for`]) are, up to 32 and
//!   4 MiB of each client. Only what could be read as asked for is kept.
//! - A call that is cancelled closes its connection.
//! - Certificates are judged by the system's store (`SSL_CERT_FILE`), or by the built-in one of Mozilla where there is none.
//!
//! # Which addresses it reaches
//!
//! Public ones. A URL may come from a model, and a model from whoever wrote the page that it read: so loopback, private,
//! link-local (a cloud's metadata), multicast and reserved addresses are refused, also inside of IPv6 addresses that lead to
//! them, at the connection itself: the name is looked up once, and what is connected to is what was judged. Every redirect is
//! judged so, too. Whoever runs the server allows what it needs of them, by address or network:
//! `--allow-private 192.168.1.5,10.0.0.0/8`, or `MCP_ALLOW_PRIVATE` under `[env]` in `drydock.toml`. An entry's
//! `server.json` cannot. A network's own translation of addresses (NAT64 with a prefix of its own) is not seen through.
//!
//! Where the environment names a proxy for a URL (`HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY`, without `NO_PROXY`), the proxy looks
//! up the name and connects, and it alone can judge to what. Then only hosts that are an address, or `localhost`, are refused
//! here; the proxy's own address is taken as it stands.

mod addresses;
mod cache;
mod connections;
mod exchange;
mod failure;
mod request;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Mutex;
use std::time::Duration;

use addresses::AddressRules;
pub(crate) use addresses::allow_private;
use cache::Cache;
use connections::{Connections, system_look_up};
use drydock_contract::env;
use drydock_runtime::args::Flag;
pub(crate) use exchange::set_user_agent;
use exchange::{Exchange, Received, host};
pub use failure::HttpError;
use failure::{Failure, Retry};
pub use request::Request;
use reqwest::Url;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde::Serialize;

use crate::log;

/// What `/mcp` takes besides, where a server has this client.
pub(crate) const OPTIONS: &[Flag<'static>] = &[(
    "allow-private",
    env::ALLOW_PRIVATE,
    "LIST     private addresses that tools may reach over HTTP, as 127.0.0.1,10.0.0.0/8 [none]",
)];

const TOTAL_TIMEOUT: Duration = Duration::from_secs(20);
const RETRY_DELAYS: [Duration; 2] = [Duration::from_millis(250), Duration::from_secs(1)];
/// Who asks for more time than this is asked again in another call.
const MAX_PAUSE: Duration = Duration::from_secs(5);
const MAX_RESPONSE_BYTES: usize = 1024 * 1024;

/// A client for one web service, or for any URL. Keep it in the server: it has connections and a cache.
pub struct HttpClient {
    service: Option<Service>,
    headers: HeaderMap,
    /// What is wrong with a header that was given.
    problem: Option<String>,
    lifetime: Duration,
    timeout: Duration,
    max_bytes: usize,
    cache: Mutex<Cache>,
    connections: Connections,
}

struct Service {
    name: String,
    base: String,
}

impl HttpClient {
    /// A client for URLs of whatever service, as `https://example.com/page`.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "a client with a cache and connections is no plain value")]
    pub fn new() -> Self {
        Self::with(None, Connections::new(AddressRules::of_process(), system_look_up))
    }

    /// A client for one service: its name for messages, and what all of its URLs begin with, as `https://api.example.com/v2`.
    #[must_use]
    pub fn of(name: impl Into<String>, base: impl AsRef<str>) -> Self {
        let base = base.as_ref().trim_end_matches('/').to_owned();
        Self { service: Some(Service { name: name.into(), base }), ..Self::new() }
    }

    fn with(service: Option<Service>, connections: Connections) -> Self {
        Self {
            service,
            headers: HeaderMap::new(),
            problem: None,
            lifetime: Duration::ZERO,
            timeout: TOTAL_TIMEOUT,
            max_bytes: MAX_RESPONSE_BYTES,
            cache: Mutex::default(),
            connections,
        }
    }

    /// A header of every request, for the host alone that is asked: a key, say. A wrong one is told by the first request,
    /// without its value.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl AsRef<str>) -> Self {
        match (name.parse::<HeaderName>(), HeaderValue::from_str(value.as_ref())) {
            (Ok(name), Ok(mut value)) => {
                value.set_sensitive(true);
                self.headers.insert(name, value);
            }
            (Ok(name), Err(_)) => {
                self.problem = Some(format!("the value of `{name}` holds what no header may hold"))
            }
            (Err(_), _) => self.problem = Some("the name of a header holds what none may hold".into()),
        }
        self
    }

    /// How long a response may be reused whose `Cache-Control` does not say: not at all, unless this is called.
    #[must_use]
    pub fn cache_for(self, lifetime: Duration) -> Self {
        Self { lifetime, ..self }
    }

    /// How long a request may take with its retries, instead of 20 s.
    #[must_use]
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// How many bytes a response may have, instead of 1 MiB.
    #[must_use]
    pub fn max_bytes(self, max_bytes: usize) -> Self {
        Self { max_bytes, ..self }
    }

    /// GETs a path of the service, or any URL where the client is of no service.
    ///
    /// What a model has said belongs into [`Request::segment`] and [`Request::query`], which encode it.
    pub fn get(&self, path: impl AsRef<str>) -> Request<'_> {
        Request { client: self, url: self.url(path.as_ref()), body: None }
    }

    /// POSTs a value as JSON. It is sent again only where no connection was made, and never redirected.
    pub fn post(&self, path: impl AsRef<str>, value: &impl Serialize) -> Request<'_> {
        let body = serde_json::to_string(value).map_err(|e| format!("the request is not JSON: {e}"));
        let (url, body) = match body {
            Ok(body) => (self.url(path.as_ref()), Some(body)),
            Err(why) => (Err(why), None),
        };
        Request { client: self, url, body }
    }

    fn url(&self, path: &str) -> Result<Url, String> {
        if let Some(problem) = &self.problem {
            return Err(problem.clone());
        }
        let url = match &self.service {
            // A path that does not begin with `/` would go on with the host's name.
            Some(it) if path.is_empty() || path.starts_with(['/', '?']) => format!("{}{path}", it.base),
            Some(it) => format!("{}/{path}", it.base),
            None => path.to_owned(),
        };
        let url = Url::parse(&url).map_err(|e| e.to_string())?;
        if matches!(url.scheme(), "http" | "https") {
            Ok(url)
        } else {
            Err("it is neither http nor https".into())
        }
    }

    async fn run_with_retries(&self, exchange: &Exchange<'_>, tries: &mut u32) -> Result<Received, Failure> {
        let mut delays = RETRY_DELAYS.into_iter();
        loop {
            *tries += 1;
            let mut failure = match exchange.run(&self.connections).await {
                Ok(received) => return Ok(received),
                Err(failure) => failure,
            };
            if exchange.body.is_some() && failure.retry == Retry::Soon && !failure.is_unsent {
                failure.retry = Retry::Unsure;
            }
            let pause = failure.pause.unwrap_or_default();
            let is_worth_it = failure.retry == Retry::Soon && pause <= MAX_PAUSE;
            let Some(delay) = delays.next().filter(|_| is_worth_it) else {
                self.log_forbidden(&failure);
                return Err(failure);
            };
            let name = self.service.as_ref().map_or("a service", |it| &it.name);
            log::warn(&format!("{name} {}, trying again", failure.what));
            tokio::time::sleep(delay.max(pause)).await;
        }
    }

    /// Which address it is, for whoever may allow it. That of a URL that a model has given is in no log.
    fn log_forbidden(&self, failure: &Failure) {
        if let (Some(Service { name, .. }), Some(address), None) =
            (&self.service, failure.forbidden, &failure.redirected_to)
        {
            log::warn(&format!(
                "{name} has the address {address}, which {} does not name",
                env::ALLOW_PRIVATE
            ));
        }
    }

    /// `Open-Meteo (api.open-meteo.com)`: without what else a URL may hold.
    fn label(&self, url: &Result<Url, String>) -> String {
        match (&self.service, url) {
            (Some(it), Ok(url)) => format!("{} ({})", it.name, host(url)),
            // What is no URL has no host: its parts may be those of a password.
            (Some(it), Err(_)) => it.name.clone(),
            (None, Ok(url)) => host(url),
            (None, Err(_)) => "the URL".into(),
        }
    }
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("HttpClient").field(&self.service.as_ref().map(|it| &it.name)).finish()
    }
}

//! One request and its response, after at most a few redirects.
//!
//! A URL, headers, perhaps a body -> text, or a `Failure`. Invariant: headers and passwords go to the host alone that they were
//! given for; no redirect leads from https to http; of a response no more is read than its limit.

use std::borrow::Cow;
use std::sync::OnceLock;
use std::time::Duration;

use reqwest::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderMap, LOCATION, USER_AGENT};
use reqwest::{Response, StatusCode, Url};
use rmcp::model::Implementation;

use super::connections::Connections;
use super::failure::{Failure, Retry, causes};

const MAX_REDIRECTS: usize = 5;

/// `weather/0.1.0`, once a session has begun.
static USER: OnceLock<String> = OnceLock::new();

/// From now on, requests say that they are this server's.
pub(crate) fn set_user_agent(server: &Implementation) {
    let _ = USER.set(format!("{}/{}", server.name, server.version));
}

/// What is asked.
pub(super) struct Exchange<'a> {
    pub(super) url: &'a Url,
    pub(super) headers: &'a HeaderMap,
    /// JSON, for a POST.
    pub(super) body: Option<&'a str>,
    pub(super) max_bytes: usize,
    /// The success that a POST was answered with, whatever becomes of the answer's body.
    pub(super) accepted: OnceLock<StatusCode>,
}

/// A successful response.
pub(super) struct Received {
    pub(super) body: String,
    /// How long the service itself lets it be reused, if it says so.
    pub(super) lifetime: Option<Duration>,
}

enum Step {
    Done(Received),
    To(Url),
}

impl Exchange<'_> {
    pub(super) async fn run(&self, connections: &Connections) -> Result<Received, Failure> {
        let mut url = Cow::Borrowed(self.url);
        let mut is_home = true;
        for _ in 0..=MAX_REDIRECTS {
            let step = self.step(connections, &url, is_home).await;
            match step.map_err(|failure| self.located(&url, failure))? {
                Step::Done(received) => return Ok(received),
                Step::To(next) => {
                    is_home = is_home && is_same_host(&url, &next);
                    url = Cow::Owned(next);
                }
            }
        }
        let what = format!("redirected more than {MAX_REDIRECTS} times, by HTTP 302 or its like");
        Err(Failure::new(what, Retry::Never))
    }

    async fn step(&self, connections: &Connections, url: &Url, is_home: bool) -> Result<Step, Failure> {
        let response = self.send(connections, url, is_home).await?;
        match self.redirect(url, &response)? {
            Some(next) => Ok(Step::To(next)),
            None => self.receive(response).await.map(Step::Done),
        }
    }

    async fn send(&self, connections: &Connections, url: &Url, is_home: bool) -> Result<Response, Failure> {
        let client = connections.client(url)?;
        let mut request = match self.body {
            Some(body) => {
                client.post(url.clone()).body(body.to_owned()).header(CONTENT_TYPE, "application/json")
            }
            None => client.get(url.clone()),
        };
        let user = USER.get().map_or(concat!("drydock-kit/", env!("CARGO_PKG_VERSION")), String::as_str);
        request = request.header(USER_AGENT, user);
        if is_home {
            request = request.headers(self.headers.clone());
        }
        Ok(request.send().await?)
    }

    /// Where the response leads. What a POST has sent is sent nowhere else.
    fn redirect(&self, from: &Url, response: &Response) -> Result<Option<Url>, Failure> {
        let status = response.status();
        let is_redirect = matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) && self.body.is_none();
        let Some(location) = response.headers().get(LOCATION).filter(|_| is_redirect) else {
            return Ok(None);
        };
        let target = redirect_target(from, location.as_bytes());
        target.map(Some).map_err(|why| Failure::new(format!("answered HTTP {status}, {why}"), Retry::Never))
    }

    async fn receive(&self, response: Response) -> Result<Received, Failure> {
        let (status, headers) = (response.status(), response.headers().clone());
        if status.is_success() && self.body.is_some() {
            let _ = self.accepted.set(status);
        }
        let body = self.body(response).await;
        if status.is_success() {
            return Ok(Received { body: body?, lifetime: max_age(&headers) });
        }
        // Whatever its page is like, the status says more.
        Err(Failure::refused(status, &headers, &body.unwrap_or_default()))
    }

    async fn body(&self, mut response: Response) -> Result<String, Failure> {
        let mut body = Vec::new();
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() <= self.max_bytes => {
                    body.extend_from_slice(&chunk)
                }
                Ok(Some(_)) => {
                    return Err(Failure::new(
                        format!("sent more than {} bytes", self.max_bytes),
                        Retry::Never,
                    ));
                }
                Ok(None) => break,
                Err(e) => return Err(Failure::new(format!("broke off: {}", causes(&e)), Retry::Soon)),
            }
        }
        String::from_utf8(body).map_err(|_| Failure::new("sent bytes that are no text", Retry::Never))
    }

    /// A failure at another host than the one that was asked says so.
    fn located(&self, url: &Url, failure: Failure) -> Failure {
        if is_same_host(self.url, url) {
            return failure;
        }
        Failure { redirected_to: Some(host(url)), ..failure }
    }
}

/// `example.com:8080`: what may be said of a URL.
pub(super) fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

fn redirect_target(from: &Url, location: &[u8]) -> Result<Url, &'static str> {
    let location = str::from_utf8(location).map_err(|_| "a redirect to no URL")?;
    let mut to = from.join(location).map_err(|_| "a redirect to no URL")?;
    match (from.scheme(), to.scheme()) {
        (_, "https") | ("http", "http") => {}
        ("https", "http") => return Err("a redirect from https to http, which is not followed"),
        _ => return Err("a redirect to neither http nor https"),
    }
    // The password of this host, and none that the service would have us use.
    let (user, password) =
        if is_same_host(from, &to) { (from.username(), from.password()) } else { ("", None) };
    to.set_username(user).and_then(|()| to.set_password(password)).map_err(|()| "a redirect to no URL")?;
    Ok(to)
}

/// The same host and port, or its https beside its http.
fn is_same_host(one: &Url, other: &Url) -> bool {
    let port = |it: &Url| it.port_or_known_default();
    let is_upgrade = (one.scheme(), other.scheme()) == ("http", "https")
        && port(one) == Some(80)
        && port(other) == Some(443);
    one.host_str() == other.host_str() && (port(one) == port(other) || is_upgrade)
}

/// `Cache-Control`: how long the service itself lets its response be reused.
fn max_age(headers: &HeaderMap) -> Option<Duration> {
    let control = headers.get(CACHE_CONTROL)?.to_str().ok()?;
    let mut directives = control.split(',').map(str::trim);
    if directives.clone().any(|directive| matches!(directive, "no-store" | "no-cache")) {
        return Some(Duration::ZERO);
    }
    let seconds = directives.find_map(|directive| directive.strip_prefix("max-age="))?;
    seconds.parse().ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_leads_to_http_without_anybodys_password_and_never_from_https() {
        for (from, location, to) in [
            ("http://a.example/x/y?z", "/w", Ok("http://a.example/w")),
            ("http://a.example/x/y", "w", Ok("http://a.example/x/w")),
            ("http://a.example/", "https://a.example/", Ok("https://a.example/")),
            ("https://a.example/", "//b.example/x", Ok("https://b.example/x")),
            ("http://me:secret@a.example/", "/w", Ok("http://me:secret@a.example/w")),
            ("http://me:secret@a.example/", "https://a.example/w", Ok("https://me:secret@a.example/w")),
            ("http://me:secret@a.example/", "http://a.example:81/w", Ok("http://a.example:81/w")),
            ("http://me:secret@a.example/", "//b.example/w", Ok("http://b.example/w")),
            ("http://a.example/", "http://you:chosen@a.example/", Ok("http://a.example/")),
            (
                "https://a.example/",
                "http://a.example/",
                Err("a redirect from https to http, which is not followed"),
            ),
            ("http://a.example/", "file:///etc/passwd", Err("a redirect to neither http nor https")),
            ("http://a.example/", "gopher://a.example/", Err("a redirect to neither http nor https")),
            ("http://a.example/", "http://", Err("a redirect to no URL")),
            ("http://a.example/", "http://[::1/", Err("a redirect to no URL")),
        ] {
            let target = redirect_target(&Url::parse(from).unwrap(), location.as_bytes());
            assert_eq!(target.as_ref().map(Url::as_str).map_err(|it| *it), to, "{from} -> {location}");
        }
        assert!(redirect_target(&Url::parse("http://a.example/").unwrap(), b"/\xff").is_err());
    }

    #[test]
    fn a_host_is_the_same_with_its_port_or_by_https() {
        let same = |one, other| is_same_host(&Url::parse(one).unwrap(), &Url::parse(other).unwrap());
        assert!(same("http://a.example/x", "http://A.example:80/y"));
        assert!(same("http://a.example/", "https://a.example/"));
        assert!(same("http://127.0.0.1:8080/", "http://127.1:8080/"));
        for other in
            ["http://a.example:8080/", "http://b.example/", "http://sub.a.example/", "https://a.example:80/x"]
        {
            assert!(!same("https://a.example/", other), "{other}");
        }
        assert!(!same("http://a.example/", "http://a.example:443/"), "in clear text");
    }

    #[test]
    fn what_is_reused_is_the_services_to_say() {
        for (control, lifetime) in [
            ("max-age=60", Some(60)),
            ("public, max-age=60", Some(60)),
            ("max-age=60, no-store", Some(0)),
            ("no-cache", Some(0)),
            ("public", None),
            ("max-age=x", None),
        ] {
            let headers = HeaderMap::from_iter([(CACHE_CONTROL, control.parse().unwrap())]);
            assert_eq!(max_age(&headers), lifetime.map(Duration::from_secs), "{control}");
        }
        assert_eq!(max_age(&HeaderMap::new()), None);
    }
}

//! A request as a tool writes it.
//!
//! A path, segments, a query -> a value, from the cache or from the service. Invariant: what a model has said stays within its
//! segment or value; what could not be read as asked for is not kept.

use std::fmt::Display;
use std::sync::{Arc, OnceLock, PoisonError};

use reqwest::Url;
use serde::de::DeserializeOwned;

use super::HttpClient;
use super::exchange::{Exchange, Received};
use super::failure::{Failure, HttpError, Retry, excerpt};
use crate::path_segment::is_one_step;

/// A request that is not made yet: [`json`](Request::json) or [`text`](Request::text) makes it.
pub struct Request<'a> {
    pub(super) client: &'a HttpClient,
    pub(super) url: Result<Url, String>,
    pub(super) body: Option<String>,
}

impl Request<'_> {
    /// Adds a segment to the path: `get("/users").segment("a/b")` asks for `/users/a%2Fb`. One that is empty, `.` or `..`, or has
    /// control characters in it makes the request fail, since it would lead elsewhere.
    #[must_use]
    pub fn segment(mut self, segment: impl Display) -> Self {
        let segment = segment.to_string();
        if self.url.is_ok() && !is_one_step(&segment) {
            self.url =
                Err("a part of its path is empty, `.` or `..`, or has control characters in it".to_owned());
        }
        if let Ok(url) = &mut self.url
            && let Ok(mut segments) = url.path_segments_mut()
        {
            segments.pop_if_empty().push(&segment);
        }
        self
    }

    /// Adds a pair to the query: `get("/find").query("name", "a&b")` asks for `/find?name=a%26b`.
    #[must_use]
    pub fn query(mut self, name: &str, value: impl Display) -> Self {
        if let Ok(url) = &mut self.url {
            url.query_pairs_mut().append_pair(name, &value.to_string());
        }
        self
    }

    /// The response's JSON as a value.
    ///
    /// # Errors
    /// There is no good response within time and size, or it is not such JSON.
    pub async fn json<T: DeserializeOwned>(self) -> Result<T, HttpError> {
        self.checked_json(|_| Ok(())).await
    }

    /// The same for a value that has rules beyond its type; the check's error says what is wrong with it.
    ///
    /// # Errors
    /// As of [`Request::json`], or the check's.
    pub async fn checked_json<T: DeserializeOwned>(
        self,
        check: impl Fn(&T) -> Result<(), String>,
    ) -> Result<T, HttpError> {
        self.read(|body| parse(body).and_then(|it| check(&it).map(|()| it))).await
    }

    /// The response's text.
    ///
    /// # Errors
    /// There is no good response within time and size.
    pub async fn text(self) -> Result<String, HttpError> {
        self.read(|body| Ok(body.to_owned())).await
    }

    async fn read<T>(self, read: impl Fn(&str) -> Result<T, String>) -> Result<T, HttpError> {
        let label = self.client.label(&self.url);
        let mut tries = 0;
        self.try_read(read, &mut tries).await.map_err(|failure| HttpError::new(label, failure, tries))
    }

    async fn try_read<T>(
        self,
        read: impl Fn(&str) -> Result<T, String>,
        tries: &mut u32,
    ) -> Result<T, Failure> {
        let Self { client, url, body } = self;
        let url = &url.map_err(|why| Failure::unusable(&why))?;
        let cache = || client.cache.lock().unwrap_or_else(PoisonError::into_inner);
        // What another reader has kept may not be for this one.
        if body.is_none()
            && let Some(body) = cache().get(url.as_str())
            && let Ok(value) = read(&body)
        {
            return Ok(value);
        }
        let (body, max_bytes) = (body.as_deref(), client.max_bytes);
        let exchange = Exchange { url, headers: &client.headers, body, max_bytes, accepted: OnceLock::new() };
        let asked = ask(client, &exchange, read, tries).await;
        let (value, received) = asked.map_err(|failure| match exchange.accepted.get() {
            Some(status) => failure.after(*status),
            None => failure,
        })?;
        if body.is_none() {
            let lifetime = received.lifetime.unwrap_or(client.lifetime);
            cache().store(url.as_str(), Arc::from(received.body), lifetime);
        }
        Ok(value)
    }
}

/// The response, within the client's time, and what is read of it.
async fn ask<T>(
    client: &HttpClient,
    exchange: &Exchange<'_>,
    read: impl Fn(&str) -> Result<T, String>,
    tries: &mut u32,
) -> Result<(T, Received), Failure> {
    let time = client.timeout;
    // Dropping the future closes the connection, which is how a cancelled call ends at the service as well.
    let received = tokio::time::timeout(time, client.run_with_retries(exchange, tries)).await;
    let late = if exchange.body.is_some() { Retry::Unsure } else { Retry::Later };
    let late = |_| Failure::new(format!("did not answer within {} s", time.as_secs_f64()), late);
    let received = received.map_err(late)??;
    let unusable = |why: String| Failure::new(format!("sent an unusable answer: {why}"), Retry::Never);
    let value = read(&received.body).map_err(unusable)?;
    Ok((value, received))
}

fn parse<T: DeserializeOwned>(body: &str) -> Result<T, String> {
    let mut json = serde_json::Deserializer::from_str(body);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|e| match e.path().iter().next() {
        Some(_) => format!("`{}`: {}", e.path(), e.inner()),
        None => e.inner().to_string(),
    });
    let value = value.and_then(|it| json.end().map(|()| it).map_err(|e| e.to_string()));
    value.map_err(|why| format!("{why}; it begins with `{}`", excerpt(body, 80)))
}

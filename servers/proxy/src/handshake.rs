//! What a client and its server agreed on, so that it can be agreed on with the next one.
//!
//! `initialize`, its answer, `notifications/initialized`, the log level, subscriptions -> the lines that a new server gets.
//! Invariant: what the client was told stays true: a server that it does not hold for is refused, with the reason.
//!
//! Source: the lifecycle of MCP's revisions up to 2025-11-25. Revision 2026-07-28 has no handshake; there nothing is kept.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::frame::{Frame, replaced, text_of};

/// Those of a server's capabilities that are lists, of whose changes it can tell.
const LISTS: [&str; 3] = ["tools", "prompts", "resources"];

/// An answer to `initialize`, as far as it is read.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'a> {
    #[serde(borrow)]
    protocol_version: Option<&'a RawValue>,
    #[serde(borrow)]
    capabilities: Option<BTreeMap<String, &'a RawValue>>,
}

/// What the client was told.
#[derive(Debug)]
struct Negotiated {
    /// The client's request.
    line: String,
    version: String,
    capabilities: BTreeSet<String>,
}

/// All of it.
#[derive(Debug, Default)]
pub(crate) struct Handshake {
    agreed: Option<Negotiated>,
    /// The client's `notifications/initialized`.
    pub(crate) initialized: Option<String>,
    /// The parameters of the last `logging/setLevel`; their text.
    pub(crate) level: Option<String>,
    /// The URIs' texts.
    pub(crate) subscriptions: BTreeSet<String>,
}

impl Handshake {
    /// Whether a new server needs one.
    pub(crate) fn is_agreed(&self) -> bool {
        self.agreed.is_some()
    }

    /// The server has answered the client's `initialize`. The answer as the client gets it, where that is another one.
    pub(crate) fn agree(&mut self, request: &str, line: &str, result: &str) -> Option<String> {
        let answer: Answer<'_> = serde_json::from_str(result).ok()?;
        self.agreed = Some(Negotiated {
            line: request.to_owned(),
            version: version(&answer),
            capabilities: answer.capabilities.iter().flatten().map(|it| it.0.clone()).collect(),
        });
        with_list_changed(line, &answer)
    }

    /// The client's `initialize` with another id.
    pub(crate) fn request(&self, id: &str) -> Option<String> {
        let line = &self.agreed.as_ref()?.line;
        match Frame::read(line) {
            Frame::Request { id: old, .. } => Some(replaced(line, &[(old, id)])),
            _ => None,
        }
    }

    /// Whether a new server's answer lets the client go on, and what is new; else why not. A list that is gone ends nothing: the
    /// client hears that it has changed, and asks.
    pub(crate) fn compare(&self, result: &str) -> Result<Vec<String>, String> {
        let Some(agreed) = &self.agreed else { return Ok(Vec::new()) };
        let answer: Answer<'_> = serde_json::from_str(result)
            .map_err(|_| "its answer to `initialize` cannot be read".to_owned())?;
        let version = version(&answer);
        if version != agreed.version {
            return Err(format!(
                "it speaks revision {version}, and the session began with {}",
                agreed.version
            ));
        }
        let now = answer.capabilities.unwrap_or_default();
        let is_lost = |it: &&String| !now.contains_key(*it) && !LISTS.contains(&it.as_str());
        match agreed.capabilities.iter().find(is_lost) {
            Some(lost) => Err(format!("it has no `{lost}` any more, which its client was told of")),
            None => Ok(now.into_keys().filter(|it| !agreed.capabilities.contains(it)).collect()),
        }
    }
}

fn version(answer: &Answer<'_>) -> String {
    answer.protocol_version.and_then(|it| text_of(it.get())).unwrap_or_default().into_owned()
}

/// The answer, saying of each list that the client will hear of its changes: from us, if not from the server.
fn with_list_changed(line: &str, answer: &Answer<'_>) -> Option<String> {
    let mut parts = Vec::new();
    let capabilities = answer.capabilities.as_ref();
    for capability in LISTS.iter().filter_map(|it| capabilities?.get(*it)) {
        let text = capability.get();
        let Ok(fields) = serde_json::from_str::<BTreeMap<String, &RawValue>>(text) else { continue };
        match fields.get("listChanged").map(|it| it.get()) {
            Some("true") => {}
            Some(other) => parts.push((other, "true")),
            None if fields.is_empty() => parts.push((&text[..1], r#"{"listChanged":true"#)),
            None => parts.push((&text[..1], r#"{"listChanged":true,"#)),
        }
    }
    parts.sort_by_key(|it| it.0.as_ptr());
    (!parts.is_empty()).then(|| replaced(line, &parts))
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUEST: &str = r#"{"method":"initialize","id":1,"params":{"id":1}}"#;

    fn agreed(capabilities: &str) -> (Handshake, Option<String>) {
        let result = format!(r#"{{"capabilities":{capabilities},"protocolVersion":"2025-11-25"}}"#);
        let line = format!(r#"{{"id":1,"result":{result}}}"#);
        let at = line.find("{\"cap").unwrap();
        let mut handshake = Handshake::default();
        let told = handshake.agree(REQUEST, &line, &line[at..line.len() - 1]);
        (handshake, told)
    }

    #[test]
    fn the_client_will_hear_of_changed_lists() {
        for (capabilities, expected) in [
            ("{}", None),
            ("null", None),
            (r#"{"tools":{"listChanged":true}}"#, None),
            (r#"{"tools":{}}"#, Some(r#"{"tools":{"listChanged":true}}"#)),
            (
                r#"{ "resources": { "subscribe": true } , "tools":{"listChanged": false, "x":1},"logging":{}}"#,
                Some(
                    r#"{ "resources": {"listChanged":true, "subscribe": true } , "tools":{"listChanged": true, "x":1},"logging":{}}"#,
                ),
            ),
        ] {
            let (_, told) = agreed(capabilities);
            let expected = expected.map(|it| {
                format!(r#"{{"id":1,"result":{{"capabilities":{it},"protocolVersion":"2025-11-25"}}}}"#)
            });
            assert_eq!(told, expected);
        }
    }

    #[test]
    fn the_same_is_said_to_a_new_server_and_what_it_says_is_compared() {
        let (handshake, _) = agreed(r#"{"tools":{},"completions":{}}"#);
        assert_eq!(handshake.request("\"x\"").unwrap(), REQUEST.replacen(":1", ":\"x\"", 1));
        let compare = |version, capabilities| {
            handshake.compare(&format!(r#"{{"protocolVersion":"{version}","capabilities":{capabilities}}}"#))
        };
        assert_eq!(
            compare("2025-11-25", r#"{"completions":{},"tools":{},"logging":{}}"#),
            Ok(vec!["logging".into()])
        );
        assert_eq!(
            compare("2025-11-25", r#"{"completions":{}}"#),
            Ok(vec![]),
            "it is told that the list has changed"
        );
        assert!(
            compare("2025-06-18", r#"{"completions":{},"tools":{}}"#).unwrap_err().contains("2025-06-18")
        );
        assert!(compare("2025-11-25", r#"{"tools":{}}"#).unwrap_err().contains("`completions`"));
    }
}

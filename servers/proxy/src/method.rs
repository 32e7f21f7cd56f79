//! What a request is for, as far as it decides what becomes of it when its server ends.
//!
//! Method and parameters -> `Purpose`. Invariant: what is not known to be harmless is not repeated.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::frame::text_of;
use crate::lists::ListKind;

/// What is read of parameters; every field is its own text.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Params<'a> {
    #[serde(borrow)]
    pub(crate) name: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) cursor: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) uri: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) task: Option<&'a RawValue>,
    #[serde(borrow, rename = "taskId")]
    pub(crate) task_id: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) notifications: Option<&'a RawValue>,
    #[serde(borrow, rename = "requestId")]
    pub(crate) request_id: Option<&'a RawValue>,
    #[serde(borrow, rename = "progressToken")]
    pub(crate) progress_token: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) progress: Option<&'a RawValue>,
    #[serde(borrow, rename = "_meta")]
    pub(crate) meta: Option<&'a RawValue>,
}

/// What is read of `_meta`.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Meta<'a> {
    #[serde(borrow, rename = "progressToken")]
    pub(crate) progress_token: Option<&'a RawValue>,
    #[serde(borrow, rename = "io.modelcontextprotocol/subscriptionId")]
    pub(crate) subscription_id: Option<&'a RawValue>,
    /// Each request of revision 2026-07-28 has it, and none of those before.
    #[serde(borrow, rename = "io.modelcontextprotocol/protocolVersion")]
    pub(crate) protocol_version: Option<&'a RawValue>,
}

impl<'a> Params<'a> {
    /// Reads the text of `params`; what cannot be read has no fields.
    pub(crate) fn read(text: Option<&'a str>) -> Self {
        text.and_then(|it| serde_json::from_str(it).ok()).unwrap_or_default()
    }

    pub(crate) fn meta(&self) -> Meta<'a> {
        self.meta.and_then(|it| serde_json::from_str(it.get()).ok()).unwrap_or_default()
    }
}

/// What a request is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Purpose {
    Initialize,
    Ping,
    /// A page of a list, and the cursor's text.
    List(ListKind, Option<String>),
    /// A tool's name; `is_task`: its answer is a task, not a result.
    Call {
        tool: String,
        is_task: bool,
    },
    /// A stream of notifications, of revision 2026-07-28.
    Listen,
    SetLevel,
    /// The URI's text.
    Subscribe(String),
    Unsubscribe(String),
    /// By the protocol it only reads.
    Read,
    Other,
}

impl Purpose {
    /// Whether a second one does no more than the first, whatever the server is.
    pub(crate) fn is_harmless(&self) -> bool {
        !matches!(self, Self::Call { .. } | Self::Other)
    }

    pub(crate) fn of(method: &str, params: &Params<'_>) -> Self {
        let text = |it: Option<&RawValue>| it.map(|it| it.get().to_owned());
        match method {
            "initialize" => Self::Initialize,
            "ping" => Self::Ping,
            "tools/call" => Self::Call {
                tool: params.name.and_then(|it| text_of(it.get())).unwrap_or_default().into_owned(),
                is_task: params.task.is_some(),
            },
            "subscriptions/listen" => Self::Listen,
            "logging/setLevel" => Self::SetLevel,
            "resources/subscribe" => Self::Subscribe(text(params.uri).unwrap_or_default()),
            "resources/unsubscribe" => Self::Unsubscribe(text(params.uri).unwrap_or_default()),
            "resources/read"
            | "resources/directory/read"
            | "prompts/get"
            | "completion/complete"
            | "server/discover"
            | "skills/list"
            | "skills/get"
            | "tasks/get"
            | "tasks/list"
            | "tasks/result" => Self::Read,
            _ => ListKind::of_method(method).map_or(Self::Other, |it| Self::List(it, text(params.cursor))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(method: &str, params: &str) -> Purpose {
        Purpose::of(method, &Params::read(Some(params)))
    }

    #[test]
    fn a_purpose_is_told_by_the_method() {
        let call = |tool: &str, is_task| Purpose::Call { tool: tool.into(), is_task };
        assert_eq!(of("tools/call", r#"{"name":"a\u0062","arguments":{"name":"c"}}"#), call("ab", false));
        assert_eq!(of("tools/call", r#"{"name":"a","task":{}}"#), call("a", true));
        assert_eq!(of("tools/call", "[]"), call("", false));
        assert_eq!(
            of("tools/list", r#"{"cursor":"x"}"#),
            Purpose::List(ListKind::Tools, Some("\"x\"".into()))
        );
        assert_eq!(of("tasks/get", "{}"), Purpose::Read);
        assert_eq!(of("tasks/cancel", "{}"), Purpose::Other);
        assert_eq!(of("tasks/update", "{}"), Purpose::Other);
    }
}

//! How a server is: what `serve` tells on its socket, `/mcp health --json` prints and xtask reads.
//!
//! `Health` <-> one line of JSON. Invariant: fields are only ever added; whoever reads an unknown one ignores it.

use serde::de::Error as _;
use serde::{Deserialize, Serialize};

/// How a server is.
///
/// ```
/// let health: drydock_contract::Health = r#"{"ready":false,"sessions":2,"served":7,"dropped":0,"reason":"it starts"}"#.parse()?;
/// assert_eq!((health.sessions, health.why_not_ready()), (2, Some("it starts")));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// Whether a session that starts now would be served at once.
    pub ready: bool,
    /// Sessions that are open now.
    pub sessions: u64,
    /// Sessions since the start, open ones among them.
    #[serde(default)]
    pub served: u64,
    /// Log lines that were lost because nobody read them.
    #[serde(default)]
    pub dropped: u64,
    /// Children that wait for a session; `None` where none are kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warm: Option<u64>,
    /// How often it has died at its start, since it last did not.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub failures: u64,
    /// Why it is not ready, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Health {
    /// One line of JSON, without its end.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The reason, unless it is ready.
    #[must_use]
    pub fn why_not_ready(&self) -> Option<&str> {
        self.reason.as_deref().filter(|_| !self.ready)
    }
}

impl std::str::FromStr for Health {
    type Err = serde_json::Error;

    fn from_str(json: &str) -> Result<Self, Self::Err> {
        // By way of a value: /mcp has the code for that anyway; a reader of this type is 7 KB more image.
        let value: serde_json::Value = serde_json::from_str(json)?;
        let missing = serde_json::Error::missing_field;
        let count = |name: &str| value[name].as_u64().unwrap_or(0);
        Ok(Self {
            ready: value["ready"].as_bool().ok_or_else(|| missing("ready"))?,
            sessions: value["sessions"].as_u64().ok_or_else(|| missing("sessions"))?,
            served: count("served"),
            dropped: count("dropped"),
            warm: value["warm"].as_u64(),
            failures: count("failures"),
            reason: value["reason"].as_str().map(str::to_owned),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_values_are_left_out_and_unknown_ones_ignored() {
        let health = Health { ready: true, sessions: 1, ..Health::default() };
        assert_eq!(health.to_json(), r#"{"ready":true,"sessions":1,"served":0,"dropped":0}"#);
        assert_eq!(r#"{"ready":true,"sessions":1,"newer":[]}"#.parse::<Health>().unwrap(), health);
        for incomplete in ["{}", "[]", r#"{"ready":true}"#, r#"{"sessions":0}"#] {
            let read = [incomplete.parse::<Health>(), serde_json::from_str(incomplete)];
            assert!(read.iter().all(Result::is_err), "{incomplete}: nobody may take that for no sessions");
        }
    }

    #[test]
    fn it_reads_what_it_writes_by_both_readers() {
        let reason = Some("a \"b\"\nc".to_owned());
        let health =
            Health { ready: false, sessions: 1, served: 2, dropped: 3, warm: Some(4), failures: 5, reason };
        let json = health.to_json();
        assert_eq!(json.parse::<Health>().unwrap(), health);
        assert_eq!(serde_json::from_str::<Health>(&json).unwrap(), health);
    }
}

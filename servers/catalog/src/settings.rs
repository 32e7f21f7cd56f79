//! Settings of `/mcp` itself: which values it takes, so that a wrong one is refused before anything is stopped for it.
//!
//! Name + value -> what is wrong. Invariant: the rules are those of `servers/runtime/src/args.rs`, `servers/kit` and
//! `servers/bridge`, which end with an error where they meet another value; an empty value is none.

use drydock_contract::{IpNetwork, env};

/// What is wrong with a value; nothing where the name is of no setting.
pub(crate) fn problem(name: &str, value: &str) -> Option<String> {
    let (wrong, takes) = match name {
        _ if value.is_empty() => return None,
        env::LOG => one_of(value, &["error", "warn", "info", "debug"]),
        env::LOG_FORMAT => one_of(value, &["human", "json"]),
        env::STALL_TIMEOUT | env::CALL_TIMEOUT | env::MAX_CALLS => whole(value, 1, env::MAX_NUMBER),
        env::MAX_SESSIONS => whole(value, 0, env::MAX_NUMBER),
        env::ALLOW_PRIVATE => (IpNetwork::parse_list(value).is_err(), IpNetwork::LIST.to_owned()),
        env::WARM => whole(value, 0, env::MAX_WARM),
        _ => return None,
    };
    wrong.then(|| format!("{name} must be {takes}, found {value:?}"))
}

fn one_of(value: &str, words: &[&str]) -> (bool, String) {
    (!words.contains(&value), format!("one of {}", words.join(", ")))
}

fn whole(value: &str, least: usize, most: usize) -> (bool, String) {
    let fits = value.parse().is_ok_and(|it: usize| (least..=most).contains(&it));
    (!fits, format!("a whole number from {least} to {most}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_mcp_would_end_with_is_refused_before() {
        for (name, value) in [
            ("MCP_WARM", "9"),
            ("MCP_WARM", "-1"),
            ("MCP_WARM", "two"),
            ("MCP_LOG", "trace"),
            ("MCP_LOG_FORMAT", "JSON"),
            ("MCP_STALL_TIMEOUT", "0"),
            ("MCP_CALL_TIMEOUT", "1.5"),
            ("MCP_MAX_CALLS", "0"),
            ("MCP_MAX_SESSIONS", "1000001"),
            ("MCP_ALLOW_PRIVATE", "all"),
            ("MCP_ALLOW_PRIVATE", "10.0.0.0/8,"),
        ] {
            let problem = problem(name, value).expect(name);
            assert!(problem.starts_with(&format!("{name} must be ")), "{problem}");
        }
        for (name, value) in [
            ("MCP_WARM", "4"),
            ("MCP_WARM", "0"),
            ("MCP_WARM", ""),
            ("MCP_LOG", "debug"),
            ("MCP_LOG_FORMAT", "json"),
            ("MCP_STALL_TIMEOUT", "1"),
            ("MCP_MAX_SESSIONS", "0"),
            ("MCP_ALLOW_PRIVATE", "10.0.0.0/8, ::1"),
            ("TOKEN", "anything"),
        ] {
            assert_eq!(problem(name, value), None, "{name}={value}");
        }
    }
}

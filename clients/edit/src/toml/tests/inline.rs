//! Entries in inline tables, and inline tables in entries.
//!
//! Hand-picked text + place -> an entry in, brought up to date, or out. Invariant: what others wrote beside it stays.

use super::*;

#[track_caller]
fn updated(old: &str, at: &[String], written: Value, wanted: Value) -> String {
    test_support::updated(old, place(at), &object(written), &object(wanted))
}

#[test]
fn what_is_no_table_on_the_way_is_refused_with_its_place() {
    let at = nested();
    let refused = |old: &str| test_support::refusal(old, place(&at), &entry()).to_string();
    assert_eq!(refused("a = 1\nmcp = { servers = 1 }\n"), "2:19: `servers` must be a table, and is a number");
    assert_eq!(refused("mcp = { x = {}, servers = [] }"), "1:27: `servers` must be a table, and is a list");
    let at = ["a", "b", "c"].map(str::to_owned);
    let refused = |old: &str| test_support::refusal(old, place(&at), &entry()).to_string();
    assert_eq!(refused("a.b = { x = {}, c = '' }"), "1:21: `c` must be a table, and is a string");
    assert_eq!(
        refused("a = { x = 0, b = { y = 0, c = { weather.z = 1 } } }"),
        "1:45: `weather` is made of keys with dots in an inline table: write it as one table"
    );
}

#[test]
fn an_entry_goes_into_the_table_on_its_path() {
    let new = round_trip_with(Some("mcp = { x = { y = 1 }, servers = { z = 2 } }\n"), &nested(), &entry());
    assert_eq!(new, format!("mcp = {{ x = {{ y = 1 }}, servers = {{ z = 2, weather = {INLINE} }} }}\n"));
    let new = round_trip_with(Some("mcp = { x = { servers = {} } }\n"), &nested(), &entry());
    assert_eq!(new, format!("mcp = {{ x = {{ servers = {{}} }}, servers.weather = {INLINE} }}\n"));
}

#[test]
fn what_is_no_table_gives_way_as_a_whole() {
    let at = servers();
    for old in ["mcp_servers = { weather = 1 }", "mcp_servers = { weather = [1] }"] {
        let new = updated(old, &at, json!({"a": 1}), json!({"a": 2}));
        assert_eq!(new, "mcp_servers = { weather = { a = 2 } }");
    }
    let old = "mcp_servers = { weather = { env = 1, x = 2 } }";
    let new = updated(old, &at, json!({"env": {"A": 1}}), json!({"env": {"A": 2}}));
    assert_eq!(new, "mcp_servers = { weather = { env = { A = 2 }, x = 2 } }");
}

/// Its table is made of keys with dots.
#[test]
fn what_the_user_added_between_ours_stays() {
    let at = servers();
    let (written, wanted) =
        (json!({"env": {"A": 1, "B": {"C": 1}, "D": 4}}), json!({"env": {"A": 2, "B": {}}}));
    let old = "mcp_servers = { weather = { env.A = 1, env.B = { C = 1, E = 5 }, env.D = 4, env.F = 6 } }";
    let new = updated(old, &at, written.clone(), wanted.clone());
    assert_eq!(all(&new, &at)[0].1, json!({"env": {"A": 2, "B": {"E": 5}, "F": 6}}), "{new}");
    // What was changed of what is no longer wanted stays, too.
    let new = updated(&old.replace("D = 4", "D = 7"), &at, written, wanted);
    assert_eq!(all(&new, &at)[0].1, json!({"env": {"A": 2, "B": {"E": 5}, "D": 7, "F": 6}}), "{new}");
}

#[test]
fn a_comment_beside_an_entry_stays() {
    let at = servers();
    for old in [
        "mcp_servers = { weather = 1, # mine\n  x = 2 }\n",
        "mcp_servers = { # mine\n  weather = 1, x = 2 }\n",
        "mcp_servers = { x = 2, # mine\n  weather = 1 }\n",
        "mcp_servers = { x = 2, weather = 1 # mine\n }\n",
        "mcp_servers = { # mine\n weather = 1 }\n",
    ] {
        let created = [CreatedParent { path: at.clone(), previous: PreviousState::Empty(" ".into()) }];
        let left = left(old, &at, &created, None).unwrap();
        assert!(left.contains("# mine\n") && !left.contains("weather"), "{old} -> {left}");
        assert_eq!(all(&left, &at).len(), usize::from(old.contains('x')), "{left}");
    }
}

#[test]
fn an_empty_inline_table_comes_back_only_if_it_was_ours_that_left() {
    let at = servers();
    let created = [CreatedParent { path: at.clone(), previous: PreviousState::Empty("  ".into()) }];
    assert_eq!(
        left("mcp_servers = { weather = 1 }", &at, &created, None).as_deref(),
        Some("mcp_servers = {  }")
    );
    assert_eq!(left("mcp_servers = { }", &at, &created, None).as_deref(), Some("mcp_servers = { }"));
}

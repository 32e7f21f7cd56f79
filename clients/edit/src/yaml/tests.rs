//! Edits of hand-picked files; generated ones are in `property.rs`, and `differential.rs` compares what is read.

mod corners;
mod ends;
mod flow_ends;
mod refused;
mod scalars;

use serde_json::json;

use super::generate::place;
use super::*;
use crate::test_support::{self, entries, object, put, remove, text};
use crate::{parse_entry, render_snippet};

fn goose() -> Vec<String> {
    vec!["extensions".to_owned()]
}

fn cont() -> Vec<String> {
    vec!["mcpServers".to_owned()]
}

fn map(at: &[String]) -> ServersPath<'_> {
    place(at, Layout::Map)
}

fn list(at: &[String]) -> ServersPath<'_> {
    place(at, Layout::List)
}

fn entry() -> Entry {
    object(json!({"cmd": "docker", "args": ["exec", "-i", "mcp-weather"], "timeout": 300}))
}

fn removed(old: &str, place: ServersPath<'_>, created: &[CreatedParent]) -> Option<String> {
    test_support::left(old, place, created, None)
}

#[track_caller]
fn round_trip(old: Option<&str>, place: ServersPath<'_>) -> String {
    test_support::round_trip(old, place, &entry())
}

#[track_caller]
fn refusal(old: &str, place: ServersPath<'_>) -> String {
    test_support::refusal(old, place, &entry()).to_string()
}

const OURS: &str = "  weather:\n    cmd: docker\n    args:\n      - exec\n      - -i\n      - mcp-weather\n    timeout: 300\n";

/// The same in braces.
const IN_ONE_LINE: &str =
    "{\"cmd\": \"docker\", \"args\": [\"exec\", \"-i\", \"mcp-weather\"], \"timeout\": 300}";

#[test]
fn no_file_and_an_empty_one() {
    let (goose, cont) = (goose(), cont());
    assert_eq!(round_trip(None, map(&goose)), format!("extensions:\n{OURS}"));
    assert_eq!(
        round_trip(None, list(&cont)),
        "name: Local Config\nversion: \"1.0.0\"\nschema: v1\nmcpServers:\n  - name: weather\n    cmd: docker\n    args:\n      \
         - exec\n      - -i\n      - mcp-weather\n    timeout: 300\n"
    );
    for blank in [
        "",
        "\n",
        " \r\n ",
        "\u{FEFF}",
        "\u{FEFF}\n",
        "{}",
        "{}\n",
        "{ }",
        "--- {}\n",
        "---\n",
        "---\n...\n",
        "--- {} # c",
        "--- # c \t\n...\n",
    ] {
        round_trip(Some(blank), map(&goose));
        assert!(round_trip(Some(blank), list(&cont)).contains("schema"));
    }
    for commented in
        ["# mine\n", "\u{FEFF}# mine", "# mine\n---\n# too\n...\n", "{ # mine\n}", "%YAML 1.2\n--- # mine\n"]
    {
        assert!(round_trip(Some(commented), map(&goose)).contains("mine"));
        assert!(round_trip(Some(commented), list(&cont)).contains("mine"));
    }
    let renamed = round_trip(None, list(&cont)).replace("Local Config", "Mine");
    let created = put(None, list(&cont), "weather", &entry(), IfExists::Replace).unwrap().created;
    assert_eq!(
        removed(&renamed, list(&cont), &created).unwrap(),
        "name: Mine\nversion: \"1.0.0\"\nschema: v1\n"
    );
}

#[test]
fn the_layout_follows_the_file() {
    let (goose, cont) = (goose(), cont());
    let new = round_trip(Some("extensions:\n    a:\n        args:\n        - x\n# end\n"), map(&goose));
    assert_eq!(
        new,
        "extensions:\n    a:\n        args:\n        - x\n    weather:\n        cmd: docker\n        args:\n        - exec\n        - -i\n        \
         - mcp-weather\n        timeout: 300\n# end\n"
    );
    let new = round_trip(Some("mcpServers:\r\n- name: a\r\n  env:\r\n     K: v\r\nz: 1"), list(&cont));
    assert_eq!(
        new,
        "mcpServers:\r\n- name: a\r\n  env:\r\n     K: v\r\n- name: weather\r\n  cmd: docker\r\n  args:\r\n  - exec\r\n  - -i\r\n  - mcp-weather\r\n  \
         timeout: 300\r\nz: 1"
    );
    let new = round_trip(Some("a: 1 # no line end"), map(&goose));
    assert_eq!(new, format!("a: 1 # no line end\nextensions:\n{}", OURS.trim_end()));
    assert_eq!(
        round_trip(Some("extensions: {a: {b: c}} # d\n"), map(&goose)),
        format!("extensions: {{a: {{b: c}}, \"weather\": {IN_ONE_LINE}}} # d\n")
    );
    assert_eq!(
        round_trip(Some("{x: 1, mcpServers: [],}"), list(&cont)),
        format!("{{x: 1, mcpServers: [{{\"name\": \"weather\", {}],}}", &IN_ONE_LINE[1..])
    );
}

#[test]
fn what_is_empty_comes_back() {
    let (goose, cont) = (goose(), cont());
    for (old, new) in [
        ("extensions:\nb: 1\n", format!("extensions:\n{OURS}b: 1\n")),
        ("extensions: {}\nb: 1\n", format!("extensions:\n{OURS}b: 1\n")),
        ("extensions: # mine\nb: 1\n", format!("extensions: # mine\n{OURS}b: 1\n")),
        ("extensions:\n  # mine\n\n# b\nb: 1\n", format!("extensions:\n  # mine\n{OURS}\n# b\nb: 1\n")),
    ] {
        assert_eq!(round_trip(Some(old), map(&goose)), new);
    }
    for nothing in ["", " ~", " null", "  []", " [ ]", " [] # c", " [\n  # c\n  ]", "  # c\n  # d"] {
        round_trip(Some(&format!("a: 1\nmcpServers:{nothing}\n")), list(&cont));
        round_trip(Some(&format!("mcpServers:{nothing}\nb: 1")), list(&cont));
    }
    // Nobody knows any more what it was.
    assert_eq!(removed("extensions:\n  weather:\n    a: 1\n", map(&goose), &[]).unwrap(), "extensions: {}\n");
    assert_eq!(
        removed("mcpServers:\n- name: weather\n# x", list(&cont), &[]).unwrap(),
        "mcpServers: []\n# x"
    );
}

#[test]
fn odd_but_legal_files_are_edited() {
    let (goose, cont) = (goose(), cont());
    for old in [
        "\u{FEFF}a: |+\n  x\n\n\nextensions:\n  b: >-\n    # text\n    more\n\n\n# c\n",
        "'extensions' :\n  a: 1\n",
        "\"ext\\u0065nsions\":\n  a: 1\n",
        "  extensions:\n    a: &x {b: c}\n  d: *x\n",
        "---\nextensions:\n  a: !!str 1\n...\n# end\n",
        "a:\n- extensions:\n  - b\nextensions:\n  c: 'it''s'\n",
        "extensions:\n  a:\n  b:   # two\n  # three\n   # four\n",
        "extensions: {\n  a: 1, # one\n  b: 2 # two\n  }\n",
        "extensions:\n  weather: {a: 1} # kept\n",
        "extensions:\n  weather: # kept\n    a: 1 # kept\n  b: 2\n",
        "extensions:\n  weather:\n  b: 2\n",
        "extensions: {weather, b: 2}\n",
        "extensions: {weather: , b: 2}\n",
    ] {
        round_trip(Some(old), map(&goose));
    }
    for old in [
        "mcpServers:\n  -\n    command: a\n    name: weather\n  - just a string\n  -\n",
        "mcpServers:\n  - {name: weather, command: x} # kept\n",
        "mcpServers: [{name: x}, {name: weather}, y]\n",
        "mcpServers:\n  # a\n  - command: x\n  # b\n\n  # c\nrules: []\n",
        "x: &w weather\nmcpServers:\n- name: *w\n",
    ] {
        round_trip(Some(old), list(&cont));
    }
}

#[test]
fn an_update_keeps_what_the_user_added() {
    let (goose, cont) = (goose(), cont());
    let written =
        object(json!({"cmd": "docker", "args": ["old"], "type": "stdio", "envs": {"A": "1", "B": "2"}}));
    let old = "extensions:\n  weather:\n    cmd: podman # the engine\n    args: [old] # why\n    type: stdio\n    envs:\n      A: '1'\n      \
               C: 3\n    # note\n    bundled: true\n  b: 1\n";
    let wanted = object(json!({"cmd": "docker", "args": ["new", ""], "envs": {"A": "no"}, "timeout": 300}));
    let new = put(Some(old), map(&goose), "weather", &wanted, IfExists::Update(&written)).unwrap();
    assert_eq!(
        text(&new),
        "extensions:\n  weather:\n    cmd: docker # the engine\n    args: [\"new\", \"\"] # why\n    envs:\n      A: \"no\"\n      \
         C: 3\n    # note\n    bundled: true\n    timeout: 300\n  b: 1\n"
    );
    let old = "mcpServers:\n  - command: x\n    type: stdio\n    name: weather\n    args:\n      # first\n      - a\n";
    let wanted = object(json!({"name": "weather", "args": [], "command": ["y", {"z": 1}]}));
    let new = put(Some(old), list(&cont), "weather", &wanted, IfExists::Update(&written)).unwrap();
    assert_eq!(
        text(&new),
        "mcpServers:\n  - command:\n      - \"y\"\n      - z: 1\n    name: weather\n    args: []\n"
    );
    let stale = object(json!({"only": 1}));
    let new = put(
        Some("extensions:\n  weather:\n    only: 1\n"),
        map(&goose),
        "weather",
        &Entry::new(),
        IfExists::Update(&stale),
    );
    assert_eq!(text(&new.unwrap()), "extensions:\n  weather: {}\n");
}

#[test]
fn entries_leave_in_any_order() {
    let (goose, cont) = (goose(), cont());
    for place in [map(&goose), list(&cont)] {
        let key = &place.at[0];
        let filled = if place.layout == Layout::List { "- name: x" } else { "  x: 1" };
        for old in [None, Some("{}".to_owned()), Some("a: 1\n".into()), Some(format!("{key}:\n{filled}\n"))] {
            for order in [["one", "two"], ["two", "one"]] {
                let first = put(old.as_deref(), place, "one", &entry(), IfExists::Replace).unwrap();
                let both = put(Some(text(&first)), place, "two", &entry(), IfExists::Replace).unwrap();
                assert_eq!(both.created, []);
                let left = remove(text(&both), place, order[0], &first.created, None).unwrap().unwrap();
                let left = String::from_utf8(left).unwrap();
                let back = remove(&left, place, order[1], &first.created, None).unwrap();
                assert_eq!(back.map(|it| String::from_utf8(it).unwrap()), old);
            }
        }
    }
}

#[test]
fn what_others_added_to_what_we_made_stays() {
    let goose = goose();
    let ours = put(None, map(&goose), "weather", &entry(), IfExists::Replace).unwrap();
    for (from, to, left) in [
        ("extensions:", "theme: 1\nextensions:", "theme: 1\n"),
        ("extensions:", "# theirs\nextensions:", "# theirs\n{}\n"),
        ("extensions:", "extensions: # theirs", "extensions: {} # theirs\n"),
        ("  weather:", "  # theirs\n  weather:", "extensions: {}\n  # theirs\n"),
        (
            "    timeout: 300\n",
            "    timeout: 300 # ours\n    # ours, too\n  # theirs\n",
            "extensions: {}\n  # theirs\n",
        ),
    ] {
        let edited = text(&ours).replacen(from, to, 1);
        assert_eq!(removed(&edited, map(&goose), &ours.created).unwrap(), left);
    }
}

#[test]
fn a_removal_takes_no_comment_that_is_not_inside() {
    let goose = goose();
    for (old, new) in [
        ("extensions:\n  # a\n  weather:\n    x: 1\n  # b\n  b: 2\n", "extensions:\n  # a\n  # b\n  b: 2\n"),
        ("extensions:\n  a: 1 # a\n  weather: 1 # gone\n\n  # b\n", "extensions:\n  a: 1 # a\n\n  # b\n"),
        ("extensions: {a: 1, # a\n  weather: 2, b: 3}\n", "extensions: {a: 1, # a\n  b: 3}\n"),
        ("extensions: {a: 1, # a\n  weather: 2}\n", "extensions: {a: 1 # a\n  }\n"),
        ("extensions: {weather: 2, # a\n  b: 3}\n", "extensions: { # a\n  b: 3}\n"),
    ] {
        let left = removed(old, map(&goose), &[]).unwrap();
        let names =
            |it: &str| entries(it, map(&goose)).unwrap().into_iter().map(|it| it.0).collect::<Vec<_>>();
        let mut kept = names(old);
        kept.retain(|it| it != "weather");
        assert_eq!(names(&left), kept, "{left}");
        assert_eq!(left, new);
    }
}

#[test]
fn values_are_read_as_the_clients_do() {
    let (goose, cont) = (goose(), cont());
    let text = "x: &x\n  y: *z\n".replace("*z", "1")
        + "extensions:\n  a: {b: no, c: ~, d: 0x1F, e: -1.5e3, f: 017, g: '1', h: !!str 2, i: *x, j: .5, k: 1_0, l: 1e999}\n  2: >\n   a\n   b\n\n   c\n";
    assert_eq!(
        entries(&text, map(&goose)).unwrap(),
        [
            (
                "a".to_owned(),
                json!({"b": "no", "c": null, "d": 31, "e": -1500.0, "f": 17, "g": "1", "h": "2", "i": {"y": 1}, "j": 0.5,
                    "k": "1_0", "l": "1e999"})
            ),
            ("2".to_owned(), json!("a b\nc\n"))
        ]
    );
    let items = "mcpServers:\n- name: a\n  x: 1\n- no name: 1\n- {name: 3}\n- b\n";
    let expected = [("a".to_owned(), json!({"name": "a", "x": 1})), ("3".to_owned(), json!({"name": 3}))];
    assert_eq!(entries(items, list(&cont)).unwrap(), expected);
    assert_eq!(entries("", map(&goose)).unwrap(), []);
    assert_eq!(entries("extensions:\n", map(&goose)).unwrap(), []);
}

#[test]
fn what_gave_way_can_be_read() {
    let (goose, cont) = (goose(), cont());
    for value in [" {a: 1}", "\n    a: 1", " # c\n      a: 1"] {
        let old = format!("extensions:\n  weather:{value}\n");
        let put = put(Some(&old), map(&goose), "weather", &entry(), IfExists::Replace).unwrap();
        assert_eq!(parse_entry(&put.replaced.unwrap(), map(&goose)).unwrap(), json!({"a": 1}), "{old}");
    }
    for old in [
        "mcpServers:\n- a: 1\n  name: weather\n",
        "mcpServers: [{a: 1, name: weather}]",
        "mcpServers:\n   -  a: 1\n      name: weather\n",
    ] {
        let put = put(Some(old), list(&cont), "weather", &entry(), IfExists::Replace).unwrap();
        assert_eq!(
            parse_entry(&put.replaced.unwrap(), list(&cont)).unwrap(),
            json!({"a": 1, "name": "weather"}),
            "{old}"
        );
    }
    assert_eq!(parse_entry(":", map(&goose)).unwrap(), Value::Null);
    assert_eq!(parse_entry("", map(&goose)).unwrap(), Value::Null);
    assert!(parse_entry(": [", map(&goose)).is_err() && parse_entry("", list(&cont)).is_err());
}

#[test]
fn what_a_snippet_is() {
    let (goose, cont) = (goose(), cont());
    let entry = object(json!({"command": "a b", "env": {"A": "yes"}}));
    assert_eq!(
        render_snippet(map(&goose), &[("x y", &entry), ("1", &entry)]),
        "x y:\n  command: a b\n  env:\n    A: \"yes\"\n\"1\":\n  command: a b\n  env:\n    A: \"yes\"\n"
    );
    assert_eq!(
        render_snippet(list(&cont), &[("x", &entry)]),
        "- name: x\n  command: a b\n  env:\n    A: \"yes\"\n"
    );
}

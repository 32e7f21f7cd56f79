//! Edits of hand-picked files; generated ones are in `property.rs`.

use jsonc_parser::{CollectOptions, CommentCollectionStrategy};
use serde_json::json;

use super::*;
use crate::FileFormat;
use crate::test_support::{self, entries, entry, object, put, remove, text};

fn place(at: &[String]) -> ServersPath<'_> {
    ServersPath { trailing_commas: true, ..ServersPath::new(FileFormat::Jsonc, at) }
}

fn strict(at: &[String]) -> ServersPath<'_> {
    ServersPath::new(FileFormat::Json, at)
}

fn servers() -> Vec<String> {
    vec!["mcpServers".to_owned()]
}

#[track_caller]
fn round_trip(old: Option<&str>, place: ServersPath<'_>) -> String {
    test_support::round_trip(old, place, &entry())
}

#[track_caller]
fn refusal(old: &str, place: ServersPath<'_>) -> String {
    test_support::refusal(old, place, &entry()).to_string()
}

#[test]
fn no_file_and_an_empty_one() {
    let at = servers();
    let new = round_trip(None, strict(&at));
    assert_eq!(
        new,
        r#"{
  "mcpServers": {
    "weather": {
      "command": "docker",
      "args": ["exec", "-i", "mcp-weather", "/mcp", "stdio"]
    }
  }
}
"#
    );
    for blank in ["", "\n", " \r\n\t", "\u{FEFF}", "\u{FEFF}\n"] {
        round_trip(Some(blank), strict(&at));
    }
    for commented in ["// mine\n", "\u{FEFF}/* mine */", "// mine"] {
        assert!(round_trip(Some(commented), place(&at)).contains("mine"));
    }
}

#[test]
fn the_layout_follows_the_file() {
    let at = servers();
    assert_eq!(
        round_trip(Some(r#"{"a":1,"mcpServers":{"x":{"url":"u"}}}"#), strict(&at)),
        r#"{"a":1,"mcpServers":{"x":{"url":"u"},"weather":{"command":"docker","args":["exec","-i","mcp-weather","/mcp","stdio"]}}}"#
    );
    assert_eq!(
        round_trip(Some("{\r\n\t\"mcpServers\": {\r\n\t\t\"x\": {} // last\r\n\t}\r\n}"), place(&at)),
        "{\r\n\t\"mcpServers\": {\r\n\t\t\"x\": {}, // last\r\n\t\t\"weather\": {\r\n\t\t\t\"command\": \"docker\",\r\n\
         \t\t\t\"args\": [\"exec\", \"-i\", \"mcp-weather\", \"/mcp\", \"stdio\"]\r\n\t\t}\r\n\t}\r\n}"
    );
    assert_eq!(
        round_trip(Some("{\n    \"mcpServers\": {}\n}\n"), strict(&at)),
        "{\n    \"mcpServers\": {\n        \"weather\": {\n            \"command\": \"docker\",\n            \
         \"args\": [\"exec\", \"-i\", \"mcp-weather\", \"/mcp\", \"stdio\"]\n        }\n    }\n}\n"
    );
    // Behind the comments of an object without members.
    let old = "{\r\n  \"mcpServers\": {\r\n    // mine\r\n    // too\r\n  }\r\n}";
    let new = round_trip(Some(old), place(&at));
    assert!(
        new.starts_with(&format!("{}    \"weather\": {{\r\n", &old[..old.find("  }").unwrap()])),
        "{new}"
    );
}

#[test]
fn one_line_stays_one_with_its_blanks() {
    let at = servers();
    for (empty, blank) in [("{}", ""), ("{ }", " ")] {
        let old = format!("{{\"a\": 1, \"mcpServers\": {empty}}}");
        let new =
            put(Some(&old), strict(&at), "weather", &object(json!({"b": 2})), IfExists::Replace).unwrap();
        assert_eq!(
            text(&new),
            format!(r#"{{"a": 1, "mcpServers": {{{blank}"weather": {{"b": 2}}{blank}}}}}"#)
        );
    }
    assert_eq!(
        round_trip(Some(r#"{"a": 1, "mcpServers": {"x": {"url": "u"}}}"#), strict(&at)),
        r#"{"a": 1, "mcpServers": {"x": {"url": "u"}, "weather": {"command": "docker", "args": ["exec", "-i", "mcp-weather", "/mcp", "stdio"]}}}"#
    );
}

#[test]
fn a_snippet_is_laid_out_as_a_file_of_ours() {
    let at = servers();
    let long = "a".repeat(60);
    let entry = object(
        json!({"command": "c", "env": {}, "args": [], "list": [1, [2], {"a": 1}], "long": [long, long]}),
    );
    let one = format!(
        "{{\n  \"command\": \"c\",\n  \"env\": {{}},\n  \"args\": [],\n  \"list\": [\n    1,\n    [2],\n    {{\n      \
         \"a\": 1\n    }}\n  ],\n  \"long\": [\n    \"{long}\",\n    \"{long}\"\n  ]\n}}"
    );
    let found = crate::render_snippet(strict(&at), &[("x", &entry), ("y", &entry)]);
    assert_eq!(found, format!("\"x\": {one},\n\"y\": {one}\n"));
}

#[test]
fn a_trailing_comma_is_answered_with_one() {
    let at = servers();
    let new = round_trip(Some("{\"mcpServers\": {\n  \"x\": 1, // why\n},}"), place(&at));
    assert!(new.starts_with("{\"mcpServers\": {\n  \"x\": 1, // why\n  \"weather\": {"), "{new}");
    assert!(new.ends_with("},\n},}"), "{new}");
}

#[test]
fn odd_but_legal_files_are_edited() {
    let at = servers();
    for old in [
        r#"{"mcpServers": {}, "half": "\ud83d", "pair": "\ud83d\ude00"}"#,
        r#"{"n": 123456789012345678901234567890, "e": 1e400, "z": -0, "mcpServers": {}}"#,
        r#"{"twice": 1, "twice": 2, "mcpServers": {"x": {"a": 1, "a": 2}}}"#,
        "{\"mcpServers\":\n{\"x\": 1}}",
        "{ }",
        "{\n}",
        "\u{FEFF}{\"mcpServers\": {\"x\": \"}, // /* \\\" \\\\\"}}",
        r#"{"mcp\u0053ervers": {"x": 1}}"#,
    ] {
        round_trip(Some(old), strict(&at));
        round_trip(Some(old), place(&at));
    }
}

#[test]
fn what_the_client_could_not_read_is_refused_with_its_place() {
    let at = servers();
    assert_eq!(refusal("{\n  \"a\": 1\n  \"b\": 2\n}", strict(&at)), "3:3: expected `,` or `}`");
    assert_eq!(refusal("{\n  // é\n}", strict(&at)), "2:3: a comment, which this client does not read");
    let comma = "a comma before the closing bracket, which this client does not read";
    assert_eq!(refusal("{\"é\": [1,]}", strict(&at)), format!("1:9: {comma}"));
    assert_eq!(
        refusal("{\"mcpServers\": []}", place(&at)),
        "1:16: `mcpServers` must be an object, and is a list"
    );
    assert_eq!(refusal("[]", place(&at)), "1:1: expected an object, found a list");
    assert_eq!(refusal("null", place(&at)), "1:1: expected an object, found null");
    assert_eq!(
        refusal("{\"mcpServers\": {},\n \"mcpServers\": {}}", place(&at)),
        "2:2: a second `mcpServers` in the same object"
    );
    assert_eq!(
        refusal("{\"mcpServers\": {\"weather\": 1, \"we\\u0061ther\": 2}}", place(&at)),
        "1:31: a second `weather` in the same object"
    );
    for (odd, at) in [("{ // a\rb\n}", "1:7"), ("{ // é\u{2028}}\n}", "1:7")] {
        assert!(refusal(odd, place(&servers())).starts_with(&format!("{at}: a line end in a comment")));
    }
    round_trip(Some("{ /* a\rb\u{2028} */ }\r"), place(&at));
    assert_eq!(refusal("{\"é\" 1}", strict(&at)), "1:6: expected `:`");
    assert_eq!(refusal("{\"a\": 1 /x*/ }", place(&at)), "1:9: expected `,` or `}`");
    for broken in [
        "{} /",
        "{\"a\": 01}",
        "{'a': 1}",
        "{a: 1}",
        "{\"a\": 1}{}",
        "{\"a\": \"\t\"}",
        "{\"a\": 1,,}",
        "{,}",
        "{",
        "{} /*",
    ] {
        refusal(broken, place(&at));
    }
    refusal(&"[".repeat(100_000), place(&at));
    let deep = format!("{{\"a\": {}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(refusal(&deep, place(&at)).contains("nesting depth"));
}

#[test]
fn values_are_read_as_the_clients_do() {
    let at = servers();
    let odd =
        r#"{"pair": "\ud83d\ude00", "lone": "\ud83d", "n": 1e400, "list": [1e400, {"b": 2}], "s": "//\"/*"}"#;
    let is = json!({"pair": "\u{1F600}", "lone": "\u{FFFD}", "n": "1e400", "list": ["1e400", {"b": 2}], "s": "//\"/*"});
    let all = entries(&format!("{{\"mcpServers\": {{\"x\": {odd}}}}}"), strict(&at)).unwrap();
    assert_eq!(all, [("x".to_owned(), is.clone())]);
    assert_eq!(crate::parse_entry(&format!(" {odd}\n"), strict(&at)).unwrap(), is);
    assert_eq!(crate::parse_entry("", strict(&at)).unwrap(), Value::Null);
}

#[test]
fn what_is_no_object_gives_way_as_a_whole() {
    let at = servers();
    let (written, wanted) = (object(json!({"a": 1})), object(json!({"a": 2})));
    for old in ["1", "[{}]", "null"] {
        let old = format!("{{\"mcpServers\": {{\"weather\": {old}}}}}");
        let new = put(Some(&old), strict(&at), "weather", &wanted, IfExists::Update(&written)).unwrap();
        assert_eq!(text(&new), r#"{"mcpServers": {"weather": {"a": 2}}}"#);
        assert_eq!(new.replaced, None);
    }
}

#[test]
fn an_update_keeps_what_the_user_added() {
    let at = servers();
    let old = "{\"mcpServers\": {\n  \"weather\": {\n    \"command\": \"docker\", // the engine\n    \"args\": [\"old\"],\n    \
               \"type\": \"stdio\",\n    \"env\": {\"A\": \"b\"}\n  }\n}}";
    let written = object(json!({"command": "docker", "args": ["old"], "type": "stdio"}));
    let new = put(Some(old), place(&at), "weather", &entry(), IfExists::Update(&written)).unwrap();
    assert_eq!(
        text(&new),
        "{\"mcpServers\": {\n  \"weather\": {\n    \"command\": \"docker\", // the engine\n    \
         \"args\": [\"exec\", \"-i\", \"mcp-weather\", \"/mcp\", \"stdio\"],\n    \"env\": {\"A\": \"b\"}\n  }\n}}"
    );
}

#[test]
fn an_unmanaged_entry_that_gave_way_comes_back() {
    let at = servers();
    round_trip(Some("{\"mcpServers\": {\"weather\": { \"command\" : \"mine\" }, \"x\": 1}}"), strict(&at));
    round_trip(Some("{\"mcpServers\": {\"weather\": null}}"), strict(&at));
}

#[test]
fn entries_leave_in_any_order() {
    let at = servers();
    for old in [
        None,
        Some("{}"),
        Some("{\"a\": 1}\n"),
        Some("{\n  \"mcpServers\": {}\n}\n"),
        Some("{\"mcpServers\":{\"x\":1}}"),
    ] {
        for order in [["one", "two"], ["two", "one"]] {
            let first = put(old, strict(&at), "one", &entry(), IfExists::Replace).unwrap();
            let both = put(Some(text(&first)), strict(&at), "two", &entry(), IfExists::Replace).unwrap();
            assert_eq!(both.created, []);
            let left = remove(text(&both), strict(&at), order[0], &[], None).unwrap().unwrap();
            let left = String::from_utf8(left).unwrap();
            let back = remove(&left, strict(&at), order[1], &first.created, None).unwrap();
            assert_eq!(back.map(|it| String::from_utf8(it).unwrap()).as_deref(), old);
        }
    }
}

#[test]
fn what_others_added_to_our_objects_stays() {
    let at = servers();
    let ours = put(None, place(&at), "weather", &entry(), IfExists::Replace).unwrap();
    for (added, kept) in [("\"theme\": 1, \"mcp", "theme"), ("// note\n\"mcp", "note")] {
        let edited = text(&ours).replacen("\"mcp", added, 1);
        let left = remove(&edited, place(&at), "weather", &ours.created, None).unwrap().unwrap();
        let left = String::from_utf8(left).unwrap();
        assert!(left.contains(kept) && !left.contains("weather"), "{left}");
    }
    let edited = text(&ours).replacen("\"weather\"", "// theirs\n\"weather\"", 1);
    let left =
        String::from_utf8(remove(&edited, place(&at), "weather", &ours.created, None).unwrap().unwrap())
            .unwrap();
    assert!(left.contains("// theirs"), "{left}");
}

#[test]
fn a_comment_in_what_we_made_stays() {
    let at = servers();
    for old in [None, Some(""), Some("\n"), Some("{}"), Some("{ }"), Some("{\"mcpServers\": {}}")] {
        let first = put(old, place(&at), "weather", &entry(), IfExists::Replace).unwrap();
        let with = text(&first);
        let opened: Vec<usize> = with.match_indices('{').map(|it| it.0 + 1).take(2).collect();
        for mine in [&[0][..], &[with.len()], &opened].concat() {
            let with = format!("{}/* mine */{}", &with[..mine], &with[mine..]);
            let left = test_support::left(&with, place(&at), &first.created, None).unwrap();
            assert!(left.contains("/* mine */") && !left.contains("weather"), "{old:?}: {with} -> {left}");
            assert!(entries(&left, place(&at)).unwrap().is_empty());
        }
    }
}

#[test]
fn the_last_look_sees_what_an_edit_would_spoil() {
    let (at, wanted) = (servers(), object(json!({"a": 1})));
    let look = |old: &str, new: &str, entry: Option<&Entry>| {
        let path = ["mcpServers", "weather"];
        check::verify_only_changed(old, new, place(&at), &path, entry).map_err(|err| err.to_string())
    };
    let old = r#"{"x": 1, "mcpServers": {"y": [1, 2]}, "z": {}}"#;
    let new = |ours: &str| old.replace("2]}", &format!("2], \"weather\": {ours}}}"));
    assert_eq!(look(old, &new("{\"a\": 1, \"b\": 2}"), Some(&wanted)), Ok(()));
    assert_eq!(look(&new("{}"), old, None), Ok(()));
    for wrong in ["{}", "{\"a\": 2}", "1"] {
        let seen = look(old, &new(wrong), Some(&wanted)).unwrap_err();
        assert!(seen.contains("would not have written `mcpServers.weather`"), "{seen}");
    }
    for (from, to) in
        [("\"x\": 1", "\"x\": 1.0"), ("\"x\"", "\"w\""), ("[1, 2]", "[1,2]"), (", \"z\": {}", "")]
    {
        let seen = look(old, &new("{\"a\": 1}").replace(from, to), Some(&wanted)).unwrap_err();
        assert!(seen.contains("more than `mcpServers.weather`"), "{from} -> {to}: {seen}");
    }
    for (old, new) in [("{}", r#"{"mcpServers": []}"#), (r#"{"mcpServers": []}"#, "{}"), ("", "{\"x\": 1}")] {
        assert!(look(old, new, None).is_err_and(|it| it.contains("more than")), "{old} -> {new}");
    }
    for broken in ["{", "[]"] {
        assert!(look(old, broken, None).unwrap_err().contains("would have broken the file"), "{broken}");
    }
}

#[test]
fn a_removal_never_moves_a_value_into_a_comment() {
    let at = servers();
    for old in [
        "{\"mcpServers\": {\n\"a\": 1, // c\n\"weather\": 2}}",
        "{\"mcpServers\": {\n\"a\": 1, // c\n\"weather\": 2, \"b\": 3}}",
        "{\"mcpServers\": {\n\"a\": 1,\n\"weather\": 2, // tail\n\"b\": 3}}",
        "{\"mcpServers\": { // c\n\"weather\": 2 /* tail */ }}",
    ] {
        let left =
            String::from_utf8(remove(old, place(&at), "weather", &[], None).unwrap().unwrap()).unwrap();
        let names: Vec<_> = entries(&left, place(&at)).unwrap().into_iter().map(|it| it.0).collect();
        let before =
            entries(old, place(&at)).unwrap().into_iter().map(|it| it.0).filter(|it| it != "weather");
        assert_eq!(names, before.collect::<Vec<_>>(), "{left}");
        assert_eq!(comments(old), comments(&left));
    }
}

fn comments(text: &str) -> Vec<String> {
    let collect = CollectOptions { comments: CommentCollectionStrategy::AsTokens, tokens: true };
    let text = &crate::split_bom(text).1.replace("\\ud800", "\\ufffd"); // the parser refuses halves
    let parsed = jsonc_parser::parse_to_ast(text, &collect, &jsonc_parser::ParseOptions::default()).unwrap();
    let tokens = parsed.tokens.unwrap().into_iter().map(|it| text[it.range.start..it.range.end].to_owned());
    tokens.filter(|it| it.starts_with('/')).collect()
}

#[test]
fn ten_thousand_entries_are_no_trouble() {
    let at = servers();
    let members: Vec<String> =
        (0..10_000).map(|n| format!("    \"server-{n}\": {}", Value::Object(entry()))).collect();
    let old = format!("{{\n  \"mcpServers\": {{\n{}\n  }}\n}}\n", members.join(",\n"));
    round_trip(Some(&old), strict(&at));
}

#[test]
fn a_comment_of_an_entrys_line_stays_on_one_of_its_own() {
    let at = servers();
    for own in ["// own", "/* own */"] {
        let old = format!("{{\"mcpServers\": {{\n  // above\n  \"weather\": 1, {own}\n  \"x\": 2\n}}}}");
        let new = test_support::left(&old, place(&at), &[], None);
        let expected = format!("{{\"mcpServers\": {{\n  // above\n   {own}\n  \"x\": 2\n}}}}");
        assert_eq!(new, Some(expected));
    }
}

//! Where texts, fields and members end.
//!
//! Hand-picked text + place -> what is read, or the text after an edit. Invariant: what stands behind an end stays.

use super::*;

/// The values of a mapping's fields, as they are read.
#[track_caller]
fn fields(lines: &str) -> Vec<(String, Value)> {
    entries(&format!("extensions:\n{lines}"), map(&goose())).unwrap()
}

#[track_caller]
fn update(old: &str, written: Value, wanted: Value) -> String {
    test_support::updated(old, map(&goose()), &object(written), &object(wanted))
}

#[track_caller]
fn round_trips(all: &[(&str, String)]) {
    for (old, new) in all {
        assert_eq!(round_trip(Some(old), map(&goose())), *new);
    }
}

#[test]
fn a_comma_goes_behind_what_could_swallow_it() {
    round_trips(&[
        ("extensions: {a: x - }\n", format!("extensions: {{a: x - , \"weather\": {IN_ONE_LINE}}}\n")),
        ("extensions: {\"a\":}\n", format!("extensions: {{\"a\":, \"weather\": {IN_ONE_LINE}}}\n")),
    ]);
}

#[test]
fn an_empty_collection_is_filled_where_it_is() {
    round_trips(&[
        ("extensions: {} # c\n", format!("extensions: {{\"weather\": {IN_ONE_LINE}}} # c\n")),
        ("extensions: {\n  }\nb: 1\n", format!("extensions: {{\n  \"weather\": {IN_ONE_LINE}}}\nb: 1\n")),
    ]);
    assert_eq!(refusal("a: 1\nextensions:\n  ~\n", map(&goose())), "3:3: null on a line of its own");
}

#[test]
fn lines_follow_behind_the_value_that_they_replace() {
    assert_eq!(
        update(
            "extensions:\n  weather:\n    a: 'x\n      y' # c\n    b: 1\n",
            json!({}),
            json!({"a": {"k": 1}})
        ),
        "extensions:\n  weather:\n    a: # c\n      k: 1\n    b: 1\n"
    );
}

#[test]
fn fields_that_we_wrote_once_go() {
    assert_eq!(
        update(
            "extensions:\n  weather:\n    name: old\n    a: 1\n",
            json!({"name": "old", "a": 1}),
            json!({"a": 1})
        ),
        "extensions:\n  weather:\n    a: 1\n"
    );
    // A tag stands before what it is the tag of.
    assert_eq!(
        update(
            "extensions:\n  weather:\n    env: !!map\n      A: 1\n",
            json!({"env": {"A": 1}}),
            json!({"env": {}})
        ),
        "extensions:\n  weather:\n    env: !!map\n      {}\n"
    );
}

#[test]
fn a_member_on_the_next_line_stays_there() {
    let goose = goose();
    let left = removed("extensions: {weather: 1,\n  b: 2}\n", map(&goose), &[]);
    assert_eq!(left.as_deref(), Some("extensions: {\n  b: 2}\n"));
}

#[test]
fn dashes_and_backslashes_in_texts() {
    assert_eq!(
        fields("  a: 'C:\\dir'\n  b: [x-, -y, z -z]\n  c: x -, y\n"),
        [
            ("a".to_owned(), json!("C:\\dir")),
            ("b".to_owned(), json!(["x-", "-y", "z -z"])),
            ("c".to_owned(), json!("x -, y")),
        ]
    );
    let goose = goose();
    assert_eq!(refusal("x: [ -]\n", map(&goose)), "1:6: this cannot start a value");
    assert_eq!(refusal("x: [a -]\n", map(&goose)), "1:7: expected `,` or `]`");
}

#[test]
fn a_block_of_text_ends_where_its_indentation_does() {
    for (header, text) in [("|", ""), (">-", ""), ("|+", ""), ("|1\n    x", " x\n"), ("|2\n    x", "x\n")] {
        let read = fields(&format!("  a: {header}\n  b: 1\n"));
        assert_eq!(read, [("a".to_owned(), json!(text)), ("b".to_owned(), json!(1))], "{header}");
    }
    for (lines, text) in [
        ("    a\n    \tb\n     \tc\n", "a\n\tb\n \tc\n"),
        ("    \n    a\n", "\na\n"),
        ("  \n    a\n", "\na\n"),
    ] {
        assert_eq!(fields(&format!("  x: |\n{lines}")), [("x".to_owned(), json!(text))], "{lines:?}");
    }
    let goose = goose();
    for (old, complaint) in [
        ("x: |\n \tb\n", "2:1: a tab in the indentation"),
        ("x: |3\n  b\n", "2:3: this line is not indented as its header says"),
        ("x: |\n    \n  b\n", "3:1: this line is indented less than the blank ones above it"),
    ] {
        assert_eq!(refusal(old, map(&goose)), complaint, "{old:?}");
    }
    // Its last line end is the file's, too.
    let old = "extensions:\n  a: |+\n    x\n";
    assert_eq!(round_trip(Some(old), map(&goose)), format!("{old}{}", OURS));
}

#[test]
fn null_that_is_said_to_be_a_text_is_one() {
    let (goose, cont) = (goose(), cont());
    assert_eq!(refusal("!!str null\n", map(&goose)), "1:1: expected a mapping, found a string");
    let read = entries("mcpServers:\n- name: !!str null\n- name: null\n", list(&cont)).unwrap();
    assert_eq!(read, [("null".to_owned(), json!({"name": "null"}))]);
}

#[test]
fn aliases_of_aliases_end_somewhere() {
    let goose = goose();
    for open_close in ["[]", "{}"] {
        let (open, close) = open_close.split_at(1);
        let key = if open == "{" { "k: " } else { "" };
        let chain = |length: usize| {
            let all = (1..=length).map(|n| format!("a{n}: &a{n} {open}{key}*a{}{close}\n", n - 1));
            let all: String = all.collect();
            entries(&format!("a0: &a0 x\n{all}extensions:\n  y: *a{length}\n"), map(&goose))
        };
        assert!(chain(90).is_ok());
        let refused = chain(150).unwrap_err().to_string();
        assert!(refused.contains("aliases that stand for too much"), "{refused}");
    }
}

/// Blanks behind its last line are not ours; a comment there belongs to that line.
#[test]
fn a_field_goes_behind_the_last_one_whatever_becomes_of_that() {
    for (last, args, new) in [
        ("args:\n      - x ", json!([]), "args: []\n    timeout: 3 "),
        ("args: # a\n      - x # b", json!([]), "args: [] # a # b\n    timeout: 3"),
        ("args: ", json!(["x"]), "args:\n      - x\n    timeout: 3 "),
        ("args: x ", json!(["x"]), "args:\n      - x\n    timeout: 3 "),
        ("args: x # b", json!(["x"]), "args: # b\n      - x\n    timeout: 3"),
    ] {
        let old = format!("extensions:\n  weather:\n    {last}\n");
        assert_eq!(
            update(&old, json!({}), json!({"args": args, "timeout": 3})),
            format!("extensions:\n  weather:\n    {new}\n"),
            "{last:?}"
        );
    }
}

#[test]
fn no_comma_is_put_where_some_would_read_it_as_a_part_of_the_text() {
    let (goose, cont) = (goose(), cont());
    assert_eq!(refusal("mcpServers: [!s]\n", list(&cont)), "1:14: an odd tag");
    assert_eq!(refusal("mcpServers: [&k # c\n  ]\n", list(&cont)), "1:17: this cannot start a value");
    let place = |it: &str| if it.starts_with('m') { list(&cont) } else { map(&goose) };
    for old in [
        "extensions: {a:\n  }\n",
        "extensions: {a:\r\n }\n",
        "extensions: {&k \n  }\n",
        "mcpServers: [!s \n  ]\n",
    ] {
        match put(Some(old), place(old), "weather", &entry(), IfExists::Replace) {
            Ok(put) => {
                let left = removed(text(&put), place(old), &put.created);
                assert_eq!(left.as_deref(), Some(old));
            }
            Err(err) => assert!(err.to_string().contains("a comma behind this"), "{old:?}: {err}"),
        }
    }
}

#[test]
fn the_name_of_an_item_is_not_a_field_of_its_entry() {
    let cont = cont();
    let named = object(json!({"name": 1, "cmd": "x"}));
    let new = test_support::round_trip(Some("mcpServers: []\n"), list(&cont), &named);
    assert_eq!(new, "mcpServers:\n  - name: weather\n    cmd: x\n");
}

#[test]
fn what_stands_behind_empty_braces_comes_back() {
    let goose = goose();
    for rest in [" ", "\t", "\n #", "\n\n  # c\n", "\n# c\n"] {
        round_trip(Some(&format!("{{}}{rest}")), map(&goose));
    }
}

#[test]
fn a_blank_comes_between_the_colon_of_a_quoted_key_and_a_new_value() {
    for (old, new) in [
        ("\n  weather: {\"a\":{}}\n", "\n  weather: {\"a\": null}\n"),
        (" {weather: {'a':[1], b: 2}}\n", " {weather: {'a': null, b: 2}}\n"),
    ] {
        let updated = update(&format!("extensions:{old}"), json!({}), json!({"a": null}));
        assert_eq!(updated, format!("extensions:{new}"));
    }
}

#[test]
fn a_tab_behind_what_is_taken_out_of_brackets_does_not_indent_the_line() {
    let goose = goose();
    for (old, new) in [
        ("{\n weather: 1\t, b: 2}", "{\n b: 2}"),
        ("{\n weather: 1\t# c\n , b: 2}", "{\n # c\n b: 2}"),
        ("{\n weather: 1, \t# c\n b: 2}", "{\n # c\n b: 2}"),
        ("{\n weather: 1\n ,\t# c\n b: 2}", "{\n \n # c\n b: 2}"),
        ("{\n weather: 1\t}", "{\n }"),
        ("{b: 2,\n weather: 1\t}", "{b: 2\n }"),
        ("{b: 2\n ,weather: 1\t\n }", "{b: 2\n \n }"),
        ("{b: 2\n ,\tweather: 1}", "{b: 2\n }"),
        ("{b: 2\n ,\t\n weather: 1}", "{b: 2\n \n }"),
        ("{weather: 1\t, b: 2}", "{\tb: 2}"),
    ] {
        let left = removed(&format!("extensions: {old}\n"), map(&goose), &[]);
        assert_eq!(left, Some(format!("extensions: {new}\n")), "{old:?}");
    }
}

#[test]
fn a_block_string_stays_as_it_is_when_what_follows_goes() {
    let goose = goose();
    for (old, new) in [
        ("|\n    x\n  weather: 1", "|\n    x\n"),
        ("|+\n    x\n\n  weather: 1", "|+\n    x\n\n"),
        ("|-\n    x\n  weather: 1", "|-\n    x"),
        ("|+\n    x\n  weather: 1\n", "|+\n    x\n"),
        ("|\n    x\n  weather: 1\n    \n\n", "|\n    x\n    \n\n"),
        ("|+\n    x\n  weather: 1\n# c\n\n", "|+\n    x\n# c\n\n"),
        ("|+\n    x\n  # c\n  weather: 1\n\n", "|+\n    x\n  # c\n\n"),
    ] {
        let left = removed(&format!("extensions:\n  a: {old}"), map(&goose), &[]);
        assert_eq!(left, Some(format!("extensions:\n  a: {new}")), "{old:?}");
    }
    for old in
        ["|+\n    x\n  weather: 1\n\n", "|\n    x\n\n  weather: 1\n     \n", "|1\n   x\n  weather: 1\n    \n"]
    {
        let old = format!("extensions:\n  a: {old}");
        let err = remove(&old, map(&goose), "weather", &[], None).unwrap_err().to_string();
        assert!(err.ends_with("the string above this would gain the blank lines below it"), "{old:?}: {err}");
    }
    // The same in our entry, where no last look would see it.
    let old = "extensions:\n  weather:\n    a: |\n      x\n    b: 1";
    let new = update(old, json!({"b": 1}), json!({}));
    assert_eq!(new, "extensions:\n  weather:\n    a: |\n      x\n");
}

#[test]
fn nothing_comes_back_before_a_comma_that_is_new() {
    let goose = goose();
    let put = put(Some("{extensions: }\n"), map(&goose), "weather", &entry(), IfExists::Replace).unwrap();
    let edited = text(&put).replace("}} }", "}}, a: 1}");
    let left = removed(&edited, map(&goose), &put.created);
    assert_eq!(left.as_deref(), Some("{extensions: , a: 1}\n"), "{edited}");
}

#[test]
fn the_last_look_sees_a_field_of_the_entry_that_was_not_to_change() {
    let goose = goose();
    let file = |fields: &str| format!("extensions:\n  weather: {{{fields}}}\n");
    let before = file("a: 1, b: 2, env: {X: 1, MINE: 2}");
    let wanted = object(json!({"a": 2, "env": {"X": 3}}));
    let look = |after: &str| {
        let old = Tree::read(&before).unwrap();
        check::verify_only_changed(&old, &file(after), map(&goose), "weather", 2, Some(&wanted))
    };
    for right in ["a: 2, b: 2, env: {X: 3, MINE: 2}", "a: 2, env: {X: 3}"] {
        look(right).unwrap();
    }
    for wrong in ["a: 2, b: 3, env: {X: 3}", "a: 2, c: 1, env: {X: 3}", "a: 2, env: {X: 3, MINE: 3}"] {
        assert!(
            look(wrong).unwrap_err().to_string().contains("another field of `extensions.weather`"),
            "{wrong}"
        );
    }
}

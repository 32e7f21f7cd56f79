//! Where things end: keys and comments in brackets, block strings, documents, and what we made.
//!
//! Hand-picked text -> what is read from it, or the refusal. Invariant: as other readers of YAML see it.

use super::*;

#[track_caller]
fn values(inside: &str) -> Vec<(String, Value)> {
    entries(&format!("extensions: {inside}"), map(&goose())).unwrap()
}

#[test]
fn a_comment_in_brackets_needs_a_blank_before_it_only() {
    let goose = goose();
    let old = "extensions: {a: 1, #mine\n  b: 2 #mine, too\n  }\n";
    let new = round_trip(Some(old), map(&goose));
    assert!(new.contains("#mine\n") && new.contains("#mine, too\n"), "{new}");
    assert_eq!(refusal("a: [b,# c\n  d]\n", map(&goose)), "1:7: this cannot start a value");
}

#[test]
fn a_key_in_brackets_may_end_with_its_line() {
    for key in ["a", "'a'", "\"a\""] {
        assert_eq!(values(&format!("{{\n  {key}\n  }}\n")), [("a".to_owned(), Value::Null)], "{key}");
    }
}

#[test]
fn a_quoted_key_in_brackets_needs_no_blank_behind_its_colon() {
    assert_eq!(
        values("{\"a\":[1], 'b':{c: 2}, \"d\":}\n"),
        [("a".to_owned(), json!([1])), ("b".to_owned(), json!({"c": 2})), ("d".to_owned(), Value::Null)]
    );
}

#[test]
fn a_block_string_may_end_with_the_file() {
    for (written, is) in [("|\n    t", "t"), ("|+\n    t", "t"), (">\n    t\n    u", "t u"), ("|", "")] {
        assert_eq!(values(&format!("\n  a: {written}")), [("a".to_owned(), json!(is))], "{written:?}");
    }
}

#[test]
fn a_block_string_is_indented_as_its_header_says() {
    assert_eq!(values("\n  a: |2-\n     x\n    y\n"), [("a".to_owned(), json!(" x\ny"))]);
    let goose = goose();
    for twice in ["|12", "|+-"] {
        let old = format!("a: {twice}\n  x\n");
        assert_eq!(refusal(&old, map(&goose)), "1:6: expected the end of the line", "{twice}");
    }
}

#[test]
fn only_brackets_may_follow_the_start_of_a_document() {
    let goose = goose();
    for text in ["--- a: 1\n", "--- 'a': 1 # c\n"] {
        assert_eq!(refusal(text, map(&goose)), "1:5: expected a line end behind `---`", "{text}");
    }
}

#[test]
fn an_item_without_a_text_as_its_name_has_none() {
    let cont = cont();
    let old = "mcpServers:\n- name: ~\n- name: [a]\n- name:\n- name: {b: c}\n- name: d\n";
    assert_eq!(entries(old, list(&cont)).unwrap(), [("d".to_owned(), json!({"name": "d"}))]);
}

#[test]
fn what_others_put_on_the_way_to_ours_stays() {
    let at = ["a".to_owned(), "b".to_owned()];
    for old in ["x: 1\n", "x: 1\na:\n", "x: 1\na: {}\n"] {
        for place in [map(&at), list(&at)] {
            let ours = put(Some(old), place, "weather", &entry(), IfExists::Replace).unwrap();
            let edited = format!("{}  y: 1\n", text(&ours));
            let left = removed(&edited, place, &ours.created);
            assert_eq!(left.as_deref(), Some("x: 1\na:\n  y: 1\n"), "{edited}");
        }
    }
}

fn look(old: &str, new: &str, place: ServersPath<'_>) -> std::result::Result<(), String> {
    let old = Tree::read(old).unwrap();
    check::verify_only_changed(&old, new, place, "weather", 2, None).map_err(|err| err.to_string())
}

#[test]
fn the_last_look_sees_what_a_block_string_says() {
    let goose = goose();
    for (old, new) in [
        // The same bytes, one column further.
        ("x: |1\n  t\nextensions: {}\n", " x: |1\n  t\n extensions:\n  weather: 1\n"),
        // The line end behind it counts in its text.
        ("extensions: {}\nx: |\n  t", "extensions: {weather: 1}\nx: |\n  t\n"),
    ] {
        let seen = look(old, new, map(&goose));
        assert!(seen.as_ref().is_err_and(|it| it.contains("more than")), "{old} -> {new}: {seen:?}");
    }
}

#[test]
fn empty_and_null_are_the_same_to_the_last_look() {
    let cont = cont();
    let empty = ["mcpServers: []\n", "mcpServers: {}\n", "mcpServers: ~\n", "mcpServers:\n"];
    for (old, new) in empty.iter().flat_map(|old| empty.iter().map(move |new| (old, new))) {
        assert_eq!(look(old, new, list(&cont)), Ok(()), "{old} -> {new}");
    }
}

//! Scalars in each of their styles, as they are read and written.

use super::*;

#[track_caller]
fn value(written: &str) -> Value {
    let goose = goose();
    let all = entries(&format!("extensions:\n  a: {written}\n"), map(&goose)).unwrap();
    all.into_iter().next().unwrap().1
}

#[test]
fn every_escape_is_read() {
    assert_eq!(
        value(r#""\0\a\b\t\n\v\f\r\e\ \"\/\\\N\_\L\P\x41\u00e9\U0001F600\	.""#),
        "\0\u{7}\u{8}\t\n\u{B}\u{C}\r\u{1B} \"/\\\u{85}\u{A0}\u{2028}\u{2029}A\u{e9}\u{1F600}\t."
    );
    assert_eq!(value("\"a \\\n    b\\\n\n    c\""), "a b\nc");
    assert_eq!(value("\"a\\t \n    b  \n\n    c\""), "a\t b\nc");
}

#[test]
fn words_and_numbers_are_read() {
    for (written, is) in [
        ("true", json!(true)),
        ("False", json!(false)),
        ("FALSE", json!(false)),
        ("-12", json!(-12)),
        ("+12", json!(12)),
        ("+1.5", json!(1.5)),
        ("1e3", json!(1000.0)),
        ("0o17", json!(15)),
        ("18446744073709551615", json!(u64::MAX)),
        ("0x+1", json!("0x+1")),
        ("e1", json!("e1")),
        (".e", json!(".e")),
        ("1a", json!("1a")),
        ("!!str 2", json!("2")),
        ("! 3", json!("3")),
        ("!!int 4", json!(4)),
        ("&x 5", json!(5)),
    ] {
        assert_eq!(value(written), is, "{written}");
    }
}

#[test]
fn lines_are_folded() {
    assert_eq!(value("a  \n    b\n\n\n    c"), "a b\n\nc");
    assert_eq!(value("'it''s \t\n\n    b'"), "it's\nb");
    assert_eq!(value("'a\r\n    b'"), "a b");
}

#[test]
fn blocks_are_read() {
    for (written, is) in [
        ("|\n    a\n     b\n\n    c\n", "a\n b\n\nc\n"),
        ("|-\n    a\n", "a"),
        ("|+\n    a\n\n", "a\n\n\n"),
        ("|1-\n    a\n   b", " a\nb"),
        ("|-1\n    a\n   b", " a\nb"),
        (">\n    a\n    b\n\n    c\n", "a b\nc\n"),
        (">-\n    a\n     b\n    c\n\n    d", "a\n b\nc\nd"),
        ("|\n\n    a\n", "\na\n"),
        ("| # why\n    a", "a\n"),
    ] {
        assert_eq!(value(written), is, "{written:?}");
    }
}

#[test]
fn what_cannot_be_printed_is_written_as_an_escape() {
    let goose = goose();
    let text = "\"\\\n\r\t\0\u{1B}\u{7F}\u{85}\u{A0}\u{2028}\u{FEFF}\u{e9}";
    let entry = object(json!({"a": text, "b": [[], {}, [1], {"c": 2}]}));
    assert_eq!(
        render_snippet(map(&goose), &[("x", &entry)]),
        "x:\n  a: \"\\\"\\\\\\n\\r\\t\\u0000\\u001b\\u007f\\u0085\\u00a0\\u2028\\ufeff\u{e9}\"\n  \
         b:\n    - []\n    - {}\n    - - 1\n    - c: 2\n"
    );
}

//! One string more, or less, in a list of strings.

use super::super::strings::{add, remove};
use crate::property::Rng;
use crate::{ErrorKind, add_string, remove_string};

const KEYS: [&str; 2] = ["workspace", "members"];

#[track_caller]
fn round_trip(list: &str, expected: &str) {
    let whole =
        |list: &str| format!("# a\n[workspace]\nmembers = {list} # b\nc = [1]\n\n[d]\nmembers = [\"x\"]\n");
    let (old, new) = (whole(list), whole(expected));
    assert_eq!(add(&old, &KEYS, "n").unwrap(), new);
    assert_eq!(add(&new, &KEYS, "n").unwrap(), new, "twice is once");
    assert_eq!(remove(&new, &KEYS, "n").unwrap(), old);
    assert_eq!(remove(&old, &KEYS, "n").unwrap(), old);
}

#[test]
fn a_byte_order_mark_stays_first() {
    let (old, new) = ("\u{feff}[workspace]\nmembers = []\n", "\u{feff}[workspace]\nmembers = [\"n\"]\n");
    assert_eq!(add_string(old.as_bytes(), &KEYS, "n").unwrap(), new.as_bytes());
    assert_eq!(remove_string(new.as_bytes(), &KEYS, "n").unwrap(), old.as_bytes());
    for change in [add_string, remove_string] {
        assert_eq!(
            change(b"[workspace]\nmembers = ['\xff']\n", &KEYS, "n").unwrap_err().kind(),
            ErrorKind::NotUtf8
        );
    }
}

#[test]
fn a_string_goes_to_its_place_and_out_again() {
    for (old, new) in [
        ("[]", "[\"n\"]"),
        ("[ ]", "[\"n\" ]"),
        ("[ # none\n]", "[\"n\" # none\n]"),
        ("[\"a\"]", "[\"a\", \"n\"]"),
        ("['z']", "[\"n\", 'z']"),
        ("[\"a\", \"z\"]", "[\"a\", \"n\", \"z\"]"),
        ("[\"a\", ]", "[\"a\", \"n\", ]"),
        ("[\"z\", \"a\"]", "[\"z\", \"a\", \"n\"]"),
        ("[\n    \"a\",\n    \"z\",\n]", "[\n    \"a\",\n    \"n\",\n    \"z\",\n]"),
        ("[\r\n\t\"a\",\r\n\t\"z\"\r\n]", "[\r\n\t\"a\",\r\n\t\"n\",\r\n\t\"z\"\r\n]"),
        ("[\n    \"o\",\n]", "[\n    \"n\",\n    \"o\",\n]"),
        ("[\n    \"a\"\n]", "[\n    \"a\",\n    \"n\"\n]"),
        ("[\n    \"a\" # mine\n]", "[\n    \"a\", # mine\n    \"n\"\n]"),
        ("[\n  \"a\", # 1\n  # 2\n  \"z\",\n]", "[\n  \"a\", # 1\n  \"n\",\n  # 2\n  \"z\",\n]"),
        ("[\n  \"a\", \"b\",\n]", "[\n  \"a\", \"b\", \"n\",\n]"),
        ("[\n  \"a\"\n  , \"z\"\n]", "[\n  \"a\"\n  , \"n\", \"z\"\n]"),
    ] {
        round_trip(old, new);
    }
}

#[test]
fn every_generated_list_comes_back() {
    let mut rng = Rng::new(13);
    for _ in 0..20_000 {
        let line_end = rng.pick(&["\n", "\r\n"]);
        let mut list = "[".to_owned();
        let count = rng.roll(5);
        for index in 0..count {
            list += rng.pick(&["", " ", "\n", "\n    ", "\n  # x\n  "]);
            list += &format!("\"{}{index}\"{}", rng.pick(&["a", "b/c", "m", "o", "z"]), rng.pick(&["", " "]));
            list += match index + 1 == count {
                true => rng.pick(&["", ",", " # y\n", ", # y\n"]),
                false => rng.pick(&[",", ", # y\n", "\n,"]),
            };
        }
        let list = list.replace('\n', line_end);
        let old = format!("[workspace]{line_end}members = {list}{line_end}]{line_end}[d]{line_end}");
        let new = add(&old, &KEYS, "n").unwrap_or_else(|err| panic!("{err}: {old}"));
        assert_eq!(remove(&new, &KEYS, "n").unwrap(), old, "through {new}");
    }
}

#[test]
fn what_is_no_list_of_strings_is_refused_with_its_place() {
    for (text, kind) in [
        ("", ErrorKind::Unsupported),
        ("[workspace]\n", ErrorKind::Unsupported),
        ("[workspace]\nmembers = 'a'\n", ErrorKind::WrongType),
        ("[workspace]\nmembers = ['a', 1]\n", ErrorKind::WrongType),
        ("[[workspace.members]]\n", ErrorKind::WrongType),
        ("[workspace\n", ErrorKind::Syntax),
    ] {
        let refused = add(text, &KEYS, "n").unwrap_err();
        assert_eq!(refused.kind(), kind, "{text}: {refused}");
        assert!(refused.position().is_some(), "{refused}");
    }
}

//! Does our reader read what others read?
//!
//! Generated files, broken at random -> panics where we read a file that libyaml (YAML 1.1) or saphyr (YAML 1.2)
//! refuses, or reads differently. Invariant: what we refuse does not matter here.

use saphyr_parser::{Event, Parser};
use serde_json::{Map, Value};

use super::generate::{KINDS, second};
use super::tree::{Kind, Tree};
use crate::property::Rng;

#[test]
fn what_we_read_others_read_the_same() {
    let cases = std::env::var("DRYDOCK_CASES").ok().and_then(|it| it.parse().ok()).unwrap_or(5_000);
    let mut read = 0;
    for seed in 0..cases {
        let mut rng = Rng::new(seed);
        let mut text = (KINDS[rng.roll(KINDS.len())].generate)(&mut rng);
        let breaks = rng.roll(4);
        for _ in 0..breaks {
            text = broken(&mut rng, text);
        }
        let text = text.trim_start_matches('\u{FEFF}');
        if let (0, Err(err)) = (breaks, Tree::read(text)) {
            panic!("seed {seed}, refused: {err}\n{text}");
        }
        // The two do not agree on whether a block text at the end of a file has a line end that is not there.
        let open_end = text.contains(['|', '>']) && !text.ends_with(['\n', '\r']);
        let Some(tree) = Tree::read(text).ok().filter(|_| !open_end) else { continue };
        read += 1;
        let ours = tree.root().map_or(Value::from(""), |it| said(&tree, it));
        assert_eq!(ours, by_saphyr(text), "seed {seed}, not as saphyr reads it:\n{text}");
        assert!(alike(&ours, &second(text)), "seed {seed}, not as libyaml reads it: {ours}\n{text}");
    }
    assert!(read > cases / 10 && read < cases, "{read} of {cases} were read");
}

/// Something in it turned, doubled, cut out or put in.
fn broken(rng: &mut Rng, text: String) -> String {
    let mut all: Vec<char> = text.chars().collect();
    let at = rng.roll(all.len() + 1);
    let to = (at + 1 + rng.roll(12)).min(all.len());
    match rng.roll(5) {
        0 => drop(all.drain(at..to)),
        1 => {
            let piece = all[at..to].to_vec();
            let to = rng.roll(all.len() + 1);
            all.splice(to..to, piece);
        }
        2 if at < all.len() => all[at] = char::from(rng.roll(95) as u8 + 32),
        3 => {
            let more = rng.pick(&[
                " ", "  ", "\n", "\r", "\t", ": ", "- ", "#", " #", "'", "\"", "|", "&a ", "*a1", "!x ", "{",
                "]", ",", "? ",
            ]);
            all.splice(at..at, more.chars());
        }
        _ => {
            let pairs = [
                (":", "::"),
                (" ", "\t"),
                ("\n", "\n "),
                ("\n ", "\n"),
                ("'", "\""),
                ("- ", "-"),
                (": ", ":"),
            ];
            let (from, to) = pairs[rng.roll(pairs.len())];
            let text: String = all.iter().collect();
            let all: Vec<usize> = text.match_indices(from).map(|it| it.0).collect();
            let Some(at) = (!all.is_empty()).then(|| all[rng.roll(all.len())]) else { return text };
            return format!("{}{to}{}", &text[..at], &text[at + from.len()..]);
        }
    }
    all.into_iter().collect()
}

/// The node with every scalar as its text.
fn said(tree: &Tree<'_>, node: usize) -> Value {
    match tree.nodes[node].kind {
        Kind::Map => {
            let members = tree.keys(node).map(|it| (tree.scalar(it).into_owned(), said(tree, it + 1)));
            Value::Object(members.collect())
        }
        Kind::List => tree.children(node).map(|it| said(tree, it)).collect(),
        Kind::Alias => said(tree, tree.target(node)),
        _ => tree.scalar(node).into(),
    }
}

fn by_saphyr(text: &str) -> Value {
    let (mut open, mut done): (Vec<(usize, Vec<Value>)>, Vec<Value>) = (Vec::new(), Vec::new());
    let mut anchors = std::collections::HashMap::new();
    for event in Parser::new_from_str(text) {
        let event = event.unwrap_or_else(|err| panic!("saphyr refuses: {err}\n{text}")).0;
        let (value, anchor) = match event {
            Event::Scalar(text, _, anchor, _) => (Value::from(&*text), anchor),
            Event::Alias(id) => (anchors.get(&id).cloned().unwrap_or_default(), 0),
            Event::SequenceStart(anchor, _) | Event::MappingStart(anchor, _) => {
                open.push((anchor, Vec::new()));
                continue;
            }
            Event::SequenceEnd => open.pop().map(|(anchor, all)| (Value::Array(all), anchor)).unwrap(),
            Event::MappingEnd => {
                let (anchor, all) = open.pop().unwrap();
                let pairs = all.chunks(2).map(|it| (it[0].as_str().unwrap_or("?").to_owned(), it[1].clone()));
                (Value::Object(pairs.collect::<Map<_, _>>()), anchor)
            }
            _ => continue,
        };
        if anchor > 0 {
            anchors.insert(anchor, value.clone());
        }
        open.last_mut().map_or(&mut done, |it| &mut it.1).push(value);
    }
    assert!(done.len() <= 1, "saphyr reads several documents:\n{text}");
    done.pop().unwrap_or("".into())
}

/// The same but for what a plain text stands for.
fn alike(ours: &Value, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.values().zip(b.values()).all(|(a, b)| alike(a, b))
        }
        (_, Value::Array(b)) => {
            // `second` makes a list of a tag and what it is the tag of.
            let tagged = b.first().and_then(Value::as_str).is_some_and(|it| it.starts_with('!'));
            let items = |a: &Vec<Value>| a.len() == b.len() && a.iter().zip(b).all(|(a, b)| alike(a, b));
            ours.as_array().is_some_and(items) || tagged && b.len() == 2 && alike(ours, &b[1])
        }
        (Value::String(a), Value::String(b)) => {
            a == b || a.parse::<f64>().is_ok() && b.parse::<f64>().is_ok()
        }
        (Value::String(_) | Value::Null, Value::Null | Value::Bool(_) | Value::Number(_)) => true,
        _ => false,
    }
}

//! Ugly but valid JSON, as clients and people leave it.
//!
//! Dice -> a file. Invariant: what is generated is valid for its kind; comments and trailing commas only where the
//! client reads them.

use serde_json::Value;

use crate::edit::property::{Dice, Kind};
use crate::edit::{Format, Layout, Place};

pub(in crate::edit) const KINDS: &[Kind] = &[
    Kind {
        name: "json",
        at: &["mcpServers"],
        place: |at| place(at, Format::Json),
        generate: |dice| Ugly::new(dice, false).file(&["mcpServers"]),
        second,
    },
    Kind {
        name: "json, a key with a dot",
        at: &["amp.mcpServers"],
        place: |at| place(at, Format::Json),
        generate: |dice| Ugly::new(dice, false).file(&["amp.mcpServers"]),
        second,
    },
    Kind {
        name: "jsonc",
        at: &["mcpServers"],
        place: |at| place(at, Format::Jsonc),
        generate: |dice| Ugly::new(dice, true).file(&["mcpServers"]),
        second,
    },
    Kind {
        name: "jsonc, nested",
        at: &["mcp", "servers"],
        place: |at| place(at, Format::Jsonc),
        generate: |dice| Ugly::new(dice, true).file(&["mcp", "servers"]),
        second,
    },
];

fn place(at: &[String], format: Format) -> Place<'_> {
    Place { format, trailing_commas: format == Format::Jsonc, at, layout: Layout::Map, new_file: None }
}

/// JSON5 contains all that we write and read, but for halves of surrogate pairs.
fn second(text: &str) -> Value {
    let text = text.trim_start_matches('\u{FEFF}').replace("\\ud800", "\\ufffd");
    json5::from_str(&text).unwrap_or_else(|err| {
        let nothing_but_comments = json5::from_str::<Value>(&format!("{text}\n0")).is_ok();
        assert!(nothing_but_comments, "{err}");
        Value::Null
    })
}

/// Every gap may hold blanks, line ends and comments.
struct Ugly<'d> {
    dice: &'d mut Dice,
    comments: bool,
    trailing: bool,
    line: &'static str,
    calm: bool,
}

impl<'d> Ugly<'d> {
    fn new(dice: &'d mut Dice, comments: bool) -> Self {
        let comments = comments && dice.roll(4) > 0;
        let line = ["\n", "\r\n", "\n", ""][dice.roll(4)];
        Self { comments, trailing: comments && dice.roll(2) == 0, calm: dice.roll(3) == 0, line, dice }
    }

    fn file(mut self, path: &[&str]) -> String {
        let bom = self.dice.pick(&["", "", "\u{FEFF}"]);
        if self.dice.roll(30) == 0 {
            return format!("{bom}{}", self.gap());
        }
        let there = [path.len(), path.len(), 0, self.dice.roll(path.len() + 1)][self.dice.roll(4)];
        format!("{bom}{}{}{}", self.gap(), self.object(0, &path[..there]), self.gap())
    }

    fn gap(&mut self) -> String {
        let mut out = String::new();
        for _ in 0..if self.calm { 1 } else { self.dice.roll(4) } {
            match self.dice.roll(if self.comments { 9 } else { 6 }) {
                0 | 1 => out.push_str(self.dice.pick(&["", " ", "  ", "\t"])),
                2..=4 => out.push_str(self.line),
                5 => out.push_str(&format!("{}    ", self.line)),
                6 => out.push_str(self.dice.pick(&[
                    "/**/",
                    "/* , } */",
                    "/* \"mcpServers\": { \\*/",
                    "/* é\n two */",
                ])),
                7 if !self.line.is_empty() => {
                    let note = self.dice.pick(&["//", "// , \"weather\": {}", "// it's  ", "// \\"]);
                    out.push_str(&format!("{note}{}", self.line));
                }
                _ => out.push_str("/* x */"),
            }
        }
        out
    }

    fn value(&mut self, depth: usize) -> String {
        match self.dice.roll(if depth > 2 { 6 } else { 9 }) {
            0 => "-0.0e+10".into(),
            1 => "123456789012345678901234567890".into(),
            2 => self.dice.pick(&["true", "false", "null"]).into(),
            3..=5 => self.string(),
            6 => self.list(depth),
            _ => self.object(depth, &[]),
        }
    }

    fn string(&mut self) -> String {
        self.dice
            .pick(&[
                r#""""#,
                r#""\ud800""#,
                r#""a\"b\\""#,
                r#""// no { comment, }""#,
                r#""\/*""#,
                "\"Zürich \u{2028}\"",
            ])
            .into()
    }

    fn list(&mut self, depth: usize) -> String {
        let items: Vec<String> = (0..self.dice.roll(4)).map(|_| self.value(depth + 1)).collect();
        self.joined('[', &items, ']')
    }

    /// An object with some members, and one for each name in `path`, nested.
    fn object(&mut self, depth: usize, path: &[&str]) -> String {
        let count = self.dice.roll(4);
        let mut members: Vec<String> = (0..count).map(|n| self.member(depth, n)).collect();
        if let Some((name, rest)) = path.split_first() {
            let at = self.dice.roll(members.len() + 1);
            let value = self.object(depth + 1, rest);
            let (before, after) = (self.gap(), self.gap());
            members.insert(at, format!("\"{name}\"{before}:{after}{value}"));
        }
        self.joined('{', &members, '}')
    }

    fn member(&mut self, depth: usize, n: usize) -> String {
        let key = self.dice.pick(&["\"a\"", "\"a b\"", "\"\\u0061\"", "\"weather2\"", "\"\"", "\"x.y\""]);
        let key = if self.dice.roll(3) == 0 { format!("\"k{n}\"") } else { key.to_owned() };
        format!("{key}{}:{}{}", self.gap(), self.gap(), self.value(depth + 1))
    }

    fn joined(&mut self, open: char, items: &[String], close: char) -> String {
        let mut out = format!("{open}{}", self.gap());
        for (n, item) in items.iter().enumerate() {
            let last = n + 1 == items.len();
            let comma = if !last || self.trailing && self.dice.roll(2) == 0 { "," } else { "" };
            out.push_str(&format!("{item}{}{comma}{}", self.gap(), self.gap()));
        }
        out.push(close);
        out
    }
}

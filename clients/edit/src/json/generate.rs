//! Awkward but valid JSON, as clients and people leave it.
//!
//! Rng -> a file. Invariant: what is generated is valid for its kind; comments and trailing commas only where the
//! client reads them.

use serde_json::Value;

use crate::property::{Kind, Rng};
use crate::{FileFormat, ServersPath};

pub(crate) const KINDS: &[Kind] = &[
    Kind {
        name: "json",
        at: &["mcpServers"],
        place: |at| place(at, FileFormat::Json),
        generate: |rng| Generator::new(rng, false).file(&["mcpServers"]),
        second,
    },
    Kind {
        name: "json-dotted",
        at: &["amp.mcpServers"],
        place: |at| place(at, FileFormat::Json),
        generate: |rng| Generator::new(rng, false).file(&["amp.mcpServers"]),
        second,
    },
    Kind {
        name: "jsonc",
        at: &["mcpServers"],
        place: |at| place(at, FileFormat::Jsonc),
        generate: |rng| Generator::new(rng, true).file(&["mcpServers"]),
        second,
    },
    Kind {
        name: "jsonc-nested",
        at: &["mcp", "servers"],
        place: |at| place(at, FileFormat::Jsonc),
        generate: |rng| Generator::new(rng, true).file(&["mcp", "servers"]),
        second,
    },
];

fn place(at: &[String], format: FileFormat) -> ServersPath<'_> {
    ServersPath { trailing_commas: format == FileFormat::Jsonc, ..ServersPath::new(format, at) }
}

/// JSON5 contains all that we write and read, but for halves of surrogate pairs.
fn second(text: &str) -> Value {
    let text = without_halves(text.strip_prefix('\u{FEFF}').unwrap_or(text));
    json5::from_str(&text).unwrap_or_else(|err| {
        let nothing_but_comments = json5::from_str::<Value>(&format!("{text}\n0")).is_ok();
        assert!(nothing_but_comments, "{err} in {text:?}");
        Value::Null
    })
}

fn without_halves(text: &str) -> String {
    let (mut out, mut rest) = (String::new(), text);
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let (piece, length) = match (unit(rest), rest.get(6..).and_then(unit)) {
            (Some(0xD800..0xDC00), Some(0xDC00..0xE000)) => (&rest[..12], 12),
            (Some(0xD800..0xE000), _) => ("\\ufffd", 6),
            _ => {
                let length = rest.chars().take(2).map(char::len_utf8).sum();
                (&rest[..length], length)
            }
        };
        out.push_str(piece);
        rest = &rest[length..];
    }
    out + rest
}

/// The number in a `\uXXXX`.
fn unit(text: &str) -> Option<u32> {
    u32::from_str_radix(text.strip_prefix("\\u")?.get(..4)?, 16).ok()
}

/// Every gap may hold blanks, line ends and comments.
struct Generator<'d> {
    rng: &'d mut Rng,
    comments: bool,
    trailing: bool,
    line: &'static str,
    calm: bool,
}

const NOTES: &[&str] =
    &["//", "// , \"weather\": {}", "// it's  ", "// \\", "/// \"mcpServers\": {", "// */", "//\t🌦"];
const BLOCKS: &[&str] = &[
    "/**/",
    "/* x */",
    "/* , } */",
    "/* \"mcpServers\": { \\*/",
    "/* é\n two */",
    "/* a\r\n// b */",
    "/***/",
    "/*\"*/",
];
const NUMBERS: &[&str] = &[
    "-0.0e+10",
    "123456789012345678901234567890",
    "-0",
    "1e2",
    "1E400",
    "0.1",
    "-1.50",
    "18446744073709551616",
];
const STRINGS: &[&str] = &[
    r#""""#,
    r#""\ud800""#,
    r#""\ud83d\ude00""#,
    r#""a\"b\\""#,
    r#""// no { comment, }""#,
    r#""\/*""#,
    r#""\u0000\u001f\b\f""#,
    "\"Zürich \u{2028}\"",
    "\"\u{FEFF}\u{7F}\u{85}\"",
    r#""${input:key}""#,
    r#""C:\\\\x""#,
];
const KEYS: &[&str] = &[
    r#""a""#,
    r#""a b""#,
    r#""\u0061""#,
    r#""weather2""#,
    r#""weathe\u0072""#,
    r#""weather""#,
    r#""""#,
    r#""x.y""#,
    r#""mcpServers""#,
    r#""__proto__""#,
    r#""command""#,
    r#""\"""#,
    r#""🌦""#,
];

impl<'d> Generator<'d> {
    fn new(rng: &'d mut Rng, comments: bool) -> Self {
        let comments = comments && rng.roll(4) > 0;
        let line = ["\n", "\r\n", "\n", "", if comments { "\n" } else { "\r" }][rng.roll(5)];
        Self { comments, trailing: comments && rng.roll(2) == 0, calm: rng.roll(3) == 0, line, rng }
    }

    fn file(mut self, path: &[&str]) -> String {
        let bom = self.rng.pick(&["", "", "\u{FEFF}"]);
        if self.rng.roll(30) == 0 {
            return format!("{bom}{}", self.gap());
        }
        let there = [path.len(), path.len(), 0, self.rng.roll(path.len() + 1)][self.rng.roll(4)];
        format!("{bom}{}{}{}", self.gap(), self.object(0, &path[..there]), self.gap())
    }

    fn gap(&mut self) -> String {
        let mut out = String::new();
        for _ in 0..if self.calm { 1 } else { self.rng.roll(4) } {
            match self.rng.roll(if self.comments { 9 } else { 6 }) {
                0 | 1 => out.push_str(self.rng.pick(&["", " ", "  ", "\t"])),
                2..=4 => out.push_str(self.line),
                5 => out.push_str(&format!("{}    ", self.line)),
                6 if !self.line.is_empty() => {
                    out.push_str(&format!("{}{}", self.rng.pick(NOTES), self.line));
                }
                _ => out.push_str(self.rng.pick(BLOCKS)),
            }
        }
        out
    }

    fn value(&mut self, depth: usize) -> String {
        match self.rng.roll(if depth > 2 { 6 } else { 9 }) {
            0 | 1 => self.rng.pick(NUMBERS).into(),
            2 => self.rng.pick(&["true", "false", "null"]).into(),
            3..=5 => self.rng.pick(STRINGS).into(),
            6 if self.rng.roll(20) == 0 => format!("{}1{}", "[".repeat(60), "]".repeat(60)),
            6 => self.list(depth),
            _ => self.object(depth, &[]),
        }
    }

    fn list(&mut self, depth: usize) -> String {
        let items: Vec<String> = (0..self.rng.roll(4)).map(|_| self.value(depth + 1)).collect();
        self.joined('[', &items, ']')
    }

    /// An object with some members, and one for each name in `path`, nested. A key may stand twice, but not on the
    /// path.
    fn object(&mut self, depth: usize, path: &[&str]) -> String {
        let count = self.rng.roll(4);
        let mut members: Vec<String> = (0..count).map(|n| self.member(depth, n, path)).collect();
        if let Some((name, rest)) = path.split_first() {
            let at = self.rng.roll(members.len() + 1);
            let value = self.object(depth + 1, rest);
            let (before, after) = (self.gap(), self.gap());
            let key = if self.rng.roll(6) == 0 { escaped(name) } else { format!("\"{name}\"") };
            members.insert(at, format!("{key}{before}:{after}{value}"));
        }
        self.joined('{', &members, '}')
    }

    fn member(&mut self, depth: usize, n: usize, path: &[&str]) -> String {
        let key = self.rng.pick(KEYS);
        let on_path = path.first().is_some_and(|it| key == format!("\"{it}\""));
        let key = if on_path || self.rng.roll(3) == 0 { format!("\"k{n}\"") } else { key.to_owned() };
        format!("{key}{}:{}{}", self.gap(), self.gap(), self.value(depth + 1))
    }

    fn joined(&mut self, open: char, items: &[String], close: char) -> String {
        let mut out = format!("{open}{}", self.gap());
        for (n, item) in items.iter().enumerate() {
            let last = n + 1 == items.len();
            let comma = if !last || self.trailing && self.rng.roll(2) == 0 { "," } else { "" };
            out.push_str(&format!("{item}{}{comma}{}", self.gap(), self.gap()));
        }
        out.push(close);
        out
    }
}

/// The same key, with its first letter written as an escape.
fn escaped(key: &str) -> String {
    let rest = &key[1..];
    format!("\"\\u{:04X}{rest}\"", key.as_bytes()[0])
}

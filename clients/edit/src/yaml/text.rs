//! Reads texts: quoted, plain, and indented below a `|` or `>`.
//!
//! A reader at the text's beginning -> behind it, or a refusal. Invariant: as in `read.rs`; what a text says is for
//! `scalar.rs`.

use super::read::{Props, Reader, NodeContext};
use super::scalar;
use super::tree::{Kind, line_end};
use crate::Result;

impl<'t> Reader<'t> {
    /// Over a quoted text; further lines of it are indented more than `around`.
    pub(super) fn quoted(&mut self, around: isize) -> Result<Kind> {
        let from = self.at;
        let quote = self.bytes[from];
        self.at += 1;
        loop {
            match self.peek(0) {
                None => return self.syntax(from, "a quoted text that does not end"),
                Some(b'\n' | b'\r') => self.next_line_of_text(from, around)?,
                Some(b'\\') if quote == b'"' => match scalar::escape(&self.text[self.at..]) {
                    Some((length, _)) => self.at += length,
                    None => return self.syntax(self.at, "an unknown escape"),
                },
                Some(b'\'') if quote == b'\'' && self.peek(1) == Some(b'\'') => self.at += 2,
                Some(it) => {
                    self.at += 1;
                    if it == quote {
                        return Ok(if quote == b'"' { Kind::Double } else { Kind::Single });
                    }
                }
            }
        }
    }

    /// Over a line end and what indents the next line that is not blank.
    pub(super) fn next_line_of_text(&mut self, text: usize, around: isize) -> Result<()> {
        while matches!(self.peek(0), Some(b'\n' | b'\r')) {
            self.step_break();
            let from = self.at;
            let tab = self.blanks();
            if tab {
                return self.syntax(from, "a tab in the indentation");
            }
        }
        if self.at < self.bytes.len() && (self.column() <= around || self.marker().is_some()) {
            return self
                .syntax(text, "a quoted text that does not end, or goes on with too little indentation");
        }
        Ok(())
    }

    pub(super) fn plain_start(&self, in_flow: bool) -> Result<()> {
        let fine = match self.peek(0) {
            None => false,
            Some(b'-') => !(self.blank_at(self.at + 1) || in_flow && self.flow_sign(self.at + 1)),
            Some(it) => !b",[]{}#&*!|>'\"%@`?:".contains(&it),
        };
        if fine { Ok(()) } else { self.syntax(self.at, "this cannot start a value") }
    }

    pub(super) fn flow_sign(&self, at: usize) -> bool {
        self.bytes.get(at).is_some_and(|it| b",[]{}?".contains(it)) // the `?` is libyaml's
    }

    /// Where a plain text's line ends: before `: `, ` #`, the line end, and in brackets before their signs.
    pub(super) fn plain_end(&self, from: usize, in_flow: bool) -> usize {
        let mut at = from;
        let mut end = from;
        while at < self.bytes.len() {
            match self.bytes[at] {
                b'\n' | b'\r' => break,
                b' ' | b'\t' => {
                    at += 1;
                    continue;
                }
                b'#' if at > from && end < at => break,
                b':' if self.blank_at(at + 1) || in_flow && self.flow_sign(at + 1) => break,
                b',' | b'[' | b']' | b'{' | b'}' if in_flow => break,
                b'-' if in_flow && end < at && self.flow_sign(at + 1) => break, // saphyr does not read it
                _ => {}
            }
            at += 1;
            end = at;
        }
        end
    }

    pub(super) fn plain(&mut self, props: Props<'t>, context: NodeContext) -> Result<()> {
        self.plain_start(false)?;
        let start = self.at;
        let (mut end, mut line);
        loop {
            (end, line) = (self.plain_end(self.at, false), self.line);
            self.at = end;
            self.blanks();
            match self.peek(0) {
                None | Some(b'\n' | b'\r') => {}
                Some(b'#') => break,
                Some(_) => return self.syntax(end, "a colon in a string without quotes"),
            }
            if !self.goes_on(context.around)? {
                break;
            }
        }
        self.push(Kind::Plain, props, context.lead, start, end);
        (self.at, self.line) = (end, line);
        self.end_of_line()
    }

    /// To the next line of a plain text, if the next line that is not blank is one.
    pub(super) fn goes_on(&mut self, around: isize) -> Result<bool> {
        while matches!(self.peek(0), Some(b'\n' | b'\r')) {
            self.step_break();
            let from = self.at;
            let tab = self.blanks();
            if tab {
                return self.syntax(from, "a tab in the indentation");
            }
        }
        Ok(self.at < self.bytes.len()
            && self.column() > around
            && self.peek(0) != Some(b'#')
            && self.marker().is_none())
    }

    pub(super) fn block_scalar(&mut self, props: Props<'t>, context: NodeContext) -> Result<()> {
        let start = self.at;
        let header = scalar::header(&self.text[start..]);
        self.at += header.length;
        self.end_of_line()?;
        let around = context.around.max(0) as usize;
        let mut indent = header.indent.map(|it| around + it);
        let mut end = start + header.length;
        let (mut blank_end, mut widest) = (end, 0);
        while matches!(self.peek(0), Some(b'\n' | b'\r')) {
            let back = (self.at, self.line);
            self.step_break();
            let from = self.at;
            let spaces = self.bytes[from..].iter().take_while(|it| **it == b' ').count();
            let stop = line_end(self.text, from);
            let blank = from + spaces == stop;
            self.at = from + spaces;
            if blank && indent.is_none_or(|it| spaces <= it) {
                if stop == self.bytes.len() && spaces == 0 {
                    break; // behind the last line end
                }
                (blank_end, widest) = (stop, widest.max(spaces));
            } else {
                if self.peek(0) == Some(b'\t') && indent.is_none_or(|it| spaces < it) {
                    return self.syntax(from, "a tab in the indentation");
                }
                if spaces < indent.unwrap_or(around + 1) || self.marker().is_some() {
                    if spaces > around && end == start + header.length {
                        return self.syntax(self.at, "this line is not indented as its header says");
                    }
                    (self.at, self.line) = back;
                    break;
                }
                if indent.is_none() && widest > spaces {
                    return self.syntax(from, "this line is indented less than the blank ones above it");
                }
                indent = indent.or(Some(spaces));
                (end, blank_end) = (stop, stop);
            }
            self.at = stop;
        }
        let end = if header.chomp == Some(b'+') { blank_end } else { end };
        let id = self.push(Kind::Block, props, context.lead, start, end);
        self.nodes[id].column = around as u32;
        Ok(())
    }
}

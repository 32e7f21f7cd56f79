//! Reads what stands in brackets and braces.
//!
//! A reader at `[` or `{` -> its nodes. Invariant: as in `read.rs`; besides, plain texts in brackets have one line,
//! and a list holds no `key: value` without braces.

use super::read::{Props, Reader};
use super::tree::{Kind, line_end};
use crate::Result;

impl<'t> Reader<'t> {
    /// A list or a mapping; further lines of it are indented more than `around`.
    pub(super) fn flow(&mut self, props: Props<'t>, lead: usize, around: isize) -> Result<()> {
        self.deeper()?;
        let start = self.at;
        let (kind, close) = if self.peek(0) == Some(b'[') { (Kind::List, b']') } else { (Kind::Map, b'}') };
        let id = self.push(kind, props, lead, start, start);
        self.at += 1;
        loop {
            self.flow_gap(around)?;
            if self.peek(0) == Some(close) {
                break;
            }
            if kind == Kind::Map {
                self.flow_pair(around)?
            } else {
                self.flow_node(self.at, around)?
            }
            self.flow_gap(around)?;
            match self.peek(0) {
                Some(b',') => self.at += 1,
                Some(it) if it == close => break,
                None => {
                    return self.syntax(
                        start,
                        format!("`{}` without `{}`", self.bytes[start] as char, close as char),
                    );
                }
                Some(_) => return self.syntax(self.at, format!("expected `,` or `{}`", close as char)),
            }
        }
        self.at += 1;
        self.close(id, self.at, true);
        Ok(())
    }

    /// Blanks, line ends and comments.
    fn flow_gap(&mut self, around: isize) -> Result<()> {
        loop {
            self.blanks();
            match self.peek(0) {
                Some(b'#') if self.blank_at(self.at - 1) => self.at = line_end(self.text, self.at),
                Some(b'\n' | b'\r') => {
                    self.step_break();
                    let from = self.at;
                    let tab = self.blanks();
                    if tab {
                        return self.syntax(from, "a tab in the indentation");
                    }
                    let more = !matches!(self.peek(0), None | Some(b'#' | b'\n' | b'\r'));
                    if more && (self.column() <= around || self.marker().is_some()) {
                        return self.unsupported(self.at, "this line in brackets is not indented enough");
                    }
                }
                _ => return Ok(()),
            }
        }
    }

    fn flow_pair(&mut self, around: isize) -> Result<()> {
        let (from, mut props) = (self.at, Props::default());
        while matches!(self.peek(0), Some(b'&' | b'!')) {
            self.prop(&mut props)?;
            self.blanks();
        }
        let line = line_end(self.text, from);
        let start = self.at;
        let kind = match self.peek(0) {
            Some(b'"' | b'\'') => self.quoted(isize::MAX)?,
            Some(b'[' | b'{') => return self.unsupported(from, "a list or mapping as a key"),
            Some(b'*') => return self.unsupported(from, "an alias as a key"),
            _ => {
                self.plain_start(true)?;
                self.at = self.plain_end(start, true);
                Kind::Plain
            }
        };
        let end = self.at;
        if end > line {
            return self.unsupported(from, "a key of several lines");
        }
        self.push(kind, props, start, start, end);
        self.blanks();
        let adjacent = kind != Kind::Plain && self.flow_sign(self.at + 1);
        let colon = self.peek(0) == Some(b':') && (self.blank_at(self.at + 1) || adjacent);
        if !colon {
            self.at = end;
            self.push(Kind::Plain, Props::default(), end, end, end);
            return Ok(());
        }
        self.at += 1;
        let lead = self.at;
        if self.peek(0) == Some(b'\t') {
            return self.unsupported(lead, "a tab behind a colon");
        }
        self.flow_gap(around)?;
        if matches!(self.peek(0), Some(b',' | b'}')) {
            self.push(Kind::Plain, Props::default(), lead, lead, lead);
            return Ok(());
        }
        self.flow_node(lead, around)
    }

    fn flow_node(&mut self, lead: usize, around: isize) -> Result<()> {
        let mut props = Props::default();
        while matches!(self.peek(0), Some(b'&' | b'!')) {
            self.prop(&mut props)?;
            self.blanks();
        }
        let start = self.at;
        match self.peek(0) {
            Some(b'[' | b'{') => return self.flow(props, lead, around),
            Some(b'*') => return self.alias(props, lead),
            Some(b'"' | b'\'') => {
                let kind = self.quoted(around)?;
                self.push(kind, props, lead, start, self.at);
            }
            _ => {
                self.plain_start(true)?;
                self.at = self.plain_end(start, true);
                self.push(Kind::Plain, props, lead, start, self.at);
            }
        }
        Ok(())
    }
}

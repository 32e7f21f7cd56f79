//! Reads the frames that pass: what the log needs of each JSON-RPC message, and nothing else of it.
//!
//! Bytes, cut anywhere -> one `Frame` per message, told when its last brace has passed. Invariants: no byte is changed
//! or held back, and memory is bounded: a message may be of any size, what is remembered of it is not.
//!
//! JSON has no raw line break inside a message, and MCP over stdio ends each message with one: so whatever rubbish a
//! line holds, the next one is read afresh.

use memchr::{memchr, memchr3};

/// How much of a method, a name or an id is remembered.
const LONGEST: usize = 256;

/// A request's id. Two ids are the same when their JSON is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Id {
    /// As it is shown in the log; cut when it is long.
    pub(crate) text: String,
    is_string: bool,
    /// Of the whole id, where it was cut.
    hash: Option<u64>,
}

/// What is known of one message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) method: Option<String>,
    pub(crate) id: Option<Id>,
    /// `params.name`: the tool or prompt; of other methods it may be an argument.
    pub(crate) name: Option<String>,
    /// `params.requestId`: what `notifications/cancelled` cancels.
    pub(crate) cancels: Option<Id>,
    /// `result.isError`
    pub(crate) is_error: bool,
    /// `error.code`; empty if the error has none.
    pub(crate) error: Option<String>,
}

/// Values that we know what to do with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Method,
    Id,
    Params,
    Result,
    Error,
    Name,
    RequestId,
    IsError,
    Code,
    Other,
}

impl Field {
    /// What a key means, inside of what its parent's key means.
    fn named(parent: Option<Field>, key: &str) -> Field {
        match (parent, key) {
            (None, "method") => Field::Method,
            (None, "id") => Field::Id,
            (None, "params") => Field::Params,
            (None, "result") => Field::Result,
            (None, "error") => Field::Error,
            (Some(Field::Params), "name") => Field::Name,
            (Some(Field::Params), "requestId") => Field::RequestId,
            (Some(Field::Result), "isError") => Field::IsError,
            (Some(Field::Error), "code") => Field::Code,
            _ => Field::Other,
        }
    }

    fn is_kept(self) -> bool {
        !matches!(self, Field::Params | Field::Result | Field::Error | Field::Other)
    }
}

/// Where in the text we are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// Between tokens.
    Gap,
    /// In a number or a word such as `true`.
    Bare,
    String,
    /// Behind a backslash in a string.
    Escape,
    /// In a line that is no JSON-RPC.
    Noise,
}

#[derive(Debug)]
pub(crate) struct Scan {
    at: At,
    /// Open braces and brackets.
    depth: u32,
    /// 1 inside a batch: a list of messages.
    base: u32,
    /// Whether the next string of the outer two levels is a key.
    at_key: bool,
    /// Whether the outer two levels are objects, and which field each is in.
    is_object: [bool; 2],
    field: [Field; 2],
    /// Whether the token is being kept, and its first bytes.
    keep: bool,
    token: Vec<u8>,
    hash: u64,
    frame: Frame,
    noise: u64,
}

impl Default for Scan {
    fn default() -> Self {
        Self {
            at: At::Gap,
            depth: 0,
            base: 0,
            at_key: false,
            is_object: [false; 2],
            field: [Field::Other; 2],
            keep: false,
            token: Vec::with_capacity(LONGEST),
            hash: 0,
            frame: Frame::default(),
            noise: 0,
        }
    }
}

impl Scan {
    /// Reads on, and tells each message that ends here.
    pub(crate) fn feed(&mut self, bytes: &[u8], mut tell: impl FnMut(Frame)) {
        let mut rest = bytes;
        while let Some((&byte, after)) = rest.split_first() {
            rest = after;
            match self.at {
                _ if byte == b'\n' => self.end_line(),
                At::Noise => rest = from(rest, memchr(b'\n', rest)),
                At::Escape => {
                    self.keep(byte);
                    self.at = At::String;
                }
                At::String if self.keep => self.in_string(byte),
                At::String => {
                    self.in_string(byte);
                    if self.at == At::String {
                        rest = from(rest, memchr3(b'"', b'\\', b'\n', rest));
                    }
                }
                At::Gap | At::Bare => {
                    if let Some(frame) = self.structure(byte) {
                        tell(frame);
                    }
                }
            }
        }
    }

    /// Lines that were no JSON-RPC, since it was asked last.
    pub(crate) fn take_noise(&mut self) -> u64 {
        std::mem::take(&mut self.noise)
    }

    fn end_line(&mut self) {
        if self.depth > 0 || self.at == At::Noise {
            self.noise += 1;
        }
        let mut token = std::mem::take(&mut self.token);
        token.clear();
        *self = Self { token, noise: self.noise, ..Self::default() };
    }

    fn in_string(&mut self, byte: u8) {
        match byte {
            b'"' => {
                self.at = At::Gap;
                self.end_token(true);
            }
            b'\\' => {
                self.keep(byte);
                self.at = At::Escape;
            }
            _ => self.keep(byte),
        }
    }

    fn structure(&mut self, byte: u8) -> Option<Frame> {
        if self.at == At::Bare && matches!(byte, b',' | b'}' | b']' | b' ' | b'\t' | b'\r') {
            self.at = At::Gap;
            self.end_token(false);
        }
        match byte {
            b'{' | b'[' => self.open(byte),
            b'}' | b']' => return self.close(),
            b'"' if self.depth > 0 => {
                self.start_token();
                self.at = At::String;
            }
            b',' => self.at_key = self.level().is_some_and(|it| self.is_object[it]),
            b':' => self.at_key = false,
            b' ' | b'\t' | b'\r' => {}
            _ if self.depth == 0 => self.at = At::Noise,
            _ => {
                if self.at == At::Gap {
                    self.start_token();
                    self.at = At::Bare;
                }
                self.keep(byte);
            }
        }
        None
    }

    /// Which of the outer two levels we are in: 0 is the message, 1 its `params`, `result` or `error`.
    fn level(&self) -> Option<usize> {
        let level = self.depth.checked_sub(self.base + 1)?;
        usize::try_from(level).ok().filter(|it| *it < 2)
    }

    fn open(&mut self, byte: u8) {
        if self.level() == Some(0) && self.field[0] == Field::Error {
            self.frame.error = Some(String::new());
        }
        if self.depth == 0 && byte == b'[' {
            self.base = 1;
        }
        self.depth = self.depth.saturating_add(1);
        if let Some(level) = self.level() {
            self.is_object[level] = byte == b'{';
            self.field[level] = Field::Other;
            self.at_key = byte == b'{';
            if level == 0 {
                self.frame = Frame::default();
            }
        }
    }

    fn close(&mut self) -> Option<Frame> {
        if self.depth == 0 {
            self.at = At::Noise;
            return None;
        }
        let whole = self.level() == Some(0) && self.is_object[0];
        self.depth -= 1;
        self.at_key = false;
        if self.depth == 0 {
            self.base = 0;
        }
        whole.then(|| std::mem::take(&mut self.frame))
    }

    fn start_token(&mut self) {
        const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
        self.token.clear();
        self.hash = FNV_OFFSET;
        self.keep =
            self.level().is_some_and(|it| self.is_object[it] && (self.at_key || self.field[it].is_kept()));
    }

    fn keep(&mut self, byte: u8) {
        const FNV_PRIME: u64 = 0x0100_0000_01b3;
        if self.keep {
            self.hash = (self.hash ^ u64::from(byte)).wrapping_mul(FNV_PRIME);
            if self.token.len() < LONGEST {
                self.token.push(byte);
            }
        }
    }

    fn end_token(&mut self, is_string: bool) {
        let Some(level) = self.level().filter(|it| self.is_object[*it]) else { return };
        let is_kept = std::mem::take(&mut self.keep);
        if self.at_key {
            let parent = (level == 1).then_some(self.field[0]);
            self.field[level] =
                if is_string { Field::named(parent, &decode(&self.token)) } else { Field::Other };
        } else if is_kept {
            self.value(self.field[level], is_string);
        }
    }

    fn value(&mut self, field: Field, is_string: bool) {
        let text = if is_string { decode(&self.token) } else { String::from_utf8_lossy(&self.token).into() };
        let is_null = !is_string && text == "null";
        let hash = (self.token.len() >= LONGEST).then_some(self.hash);
        let id = || Id { text: text.clone(), is_string, hash };
        match field {
            Field::Id if !is_null => self.frame.id = Some(id()),
            Field::RequestId if !is_null => self.frame.cancels = Some(id()),
            Field::Method if is_string => self.frame.method = Some(text),
            Field::Name if is_string => self.frame.name = Some(text),
            Field::Code if !is_string => self.frame.error = Some(text),
            Field::IsError => self.frame.is_error = !is_string && text == "true",
            _ => {}
        }
    }
}

/// The bytes from that one on; none if there is no such one.
fn from(bytes: &[u8], at: Option<usize>) -> &[u8] {
    &bytes[at.unwrap_or(bytes.len())..]
}

/// The text of a string, of which the end may have been cut.
fn decode(token: &[u8]) -> String {
    let plain = || String::from_utf8_lossy(token).into_owned();
    if token.len() >= LONGEST || !token.contains(&b'\\') {
        return plain();
    }
    let quoted = [b"\"", token, b"\""].concat();
    serde_json::from_slice(&quoted).unwrap_or_else(|_| plain())
}

#[cfg(test)]
mod tests;

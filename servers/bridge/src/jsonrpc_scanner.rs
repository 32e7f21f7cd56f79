//! Reads JSON-RPC messages while they pass: what a log needs of each, and nothing else of it.
//!
//! Bytes, cut anywhere -> one [`Message`] per message, reported when its last brace has passed. Invariants: no byte is
//! changed or held back, and memory is bounded: a message may be of any size, what is remembered of it is not.
//!
//! JSON has no raw line break inside a message, and MCP over stdio ends each message with one: so whatever a line holds
//! that is no message, the next one is read afresh.
//!
//! ```
//! use drydock_bridge::jsonrpc_scanner::Scanner;
//!
//! let mut scanner = Scanner::default();
//! let mut methods = Vec::new();
//! let line = b"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"tools/list\"}\n";
//! for part in line.chunks(10) {
//!     scanner.feed(part, |message| methods.extend(message.method));
//! }
//! assert_eq!(methods, ["tools/list"]);
//! ```

use memchr::{memchr, memchr3};

/// How many bytes of a method, a name or an id are remembered.
const MAX_CAPTURED: usize = 256;

/// A request's id. Two ids are the same when their JSON is: `1` and `"1"` differ.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RequestId {
    text: String,
    is_string: bool,
    /// Of the whole id, where it was cut.
    hash: Option<u64>,
}

impl RequestId {
    /// As it is shown in the log: without quotes, cut after 256 bytes.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// What is known of one message. Texts are cut after 256 bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Message {
    /// `method`; an answer has none.
    pub method: Option<String>,
    /// `id`, if it is not `null`; a notification has none.
    pub id: Option<RequestId>,
    /// `params.name`: the tool or prompt; of other methods it may be an argument.
    pub params_name: Option<String>,
    /// `params.requestId`: the request that `notifications/cancelled` is about.
    pub cancelled_id: Option<RequestId>,
    /// `result.isError`
    pub is_error: bool,
    /// `error.code`; empty if the error has none.
    pub error_code: Option<String>,
}

/// Where a value stands, as far as anything is done with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Method,
    Id,
    Params,
    Result,
    Error,
    Name,
    CancelledId,
    IsError,
    Code,
    Other,
}

impl Field {
    /// What a key means, inside of what its parent's key means.
    fn from_key(parent: Option<Field>, key: &str) -> Field {
        match (parent, key) {
            (None, "method") => Field::Method,
            (None, "id") => Field::Id,
            (None, "params") => Field::Params,
            (None, "result") => Field::Result,
            (None, "error") => Field::Error,
            (Some(Field::Params), "name") => Field::Name,
            (Some(Field::Params), "requestId") => Field::CancelledId,
            (Some(Field::Result), "isError") => Field::IsError,
            (Some(Field::Error), "code") => Field::Code,
            _ => Field::Other,
        }
    }

    fn is_captured(self) -> bool {
        !matches!(self, Field::Params | Field::Result | Field::Error | Field::Other)
    }
}

/// Where in the text the scanner is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    BetweenTokens,
    /// In a number or a word such as `true`.
    Literal,
    String,
    /// Behind a backslash in a string.
    Escape,
    /// In a line that is no JSON-RPC.
    InvalidLine,
}

/// A state machine over the bytes of one direction of a session.
#[derive(Debug)]
pub struct Scanner {
    state: State,
    /// Open braces and brackets.
    depth: u32,
    /// 1 inside a batch: a list of messages.
    batch_depth: u32,
    /// Whether the next string of the outer two levels is a key.
    expects_key: bool,
    /// Whether the outer two levels are objects, and which field each is in.
    is_object: [bool; 2],
    field: [Field; 2],
    /// Whether the token is being captured, and its first bytes.
    is_capturing: bool,
    token: Vec<u8>,
    hash: u64,
    message: Message,
    invalid_lines: u64,
}

impl Default for Scanner {
    fn default() -> Self {
        Self {
            state: State::BetweenTokens,
            depth: 0,
            batch_depth: 0,
            expects_key: false,
            is_object: [false; 2],
            field: [Field::Other; 2],
            is_capturing: false,
            token: Vec::with_capacity(MAX_CAPTURED),
            hash: 0,
            message: Message::default(),
            invalid_lines: 0,
        }
    }
}

impl Scanner {
    /// Reads on, and calls `on_message` for each message that ends in these bytes.
    pub fn feed(&mut self, bytes: &[u8], mut on_message: impl FnMut(Message)) {
        let mut rest = bytes;
        while let Some((&byte, after)) = rest.split_first() {
            rest = after;
            match self.state {
                _ if byte == b'\n' => self.end_line(),
                State::InvalidLine => rest = skip_to(rest, memchr(b'\n', rest)),
                State::Escape => {
                    self.capture(byte);
                    self.state = State::String;
                }
                State::String if self.is_capturing => self.in_string(byte),
                State::String => {
                    self.in_string(byte);
                    if self.state == State::String {
                        rest = skip_to(rest, memchr3(b'"', b'\\', b'\n', rest));
                    }
                }
                State::BetweenTokens | State::Literal => {
                    if let Some(message) = self.outside_string(byte) {
                        on_message(message);
                    }
                }
            }
        }
    }

    /// How many lines were no JSON-RPC since this was called last.
    pub fn take_invalid_lines(&mut self) -> u64 {
        std::mem::take(&mut self.invalid_lines)
    }

    fn end_line(&mut self) {
        if self.depth > 0 || self.state == State::InvalidLine {
            self.invalid_lines += 1;
        }
        let mut token = std::mem::take(&mut self.token);
        token.clear();
        *self = Self { token, invalid_lines: self.invalid_lines, ..Self::default() };
    }

    fn in_string(&mut self, byte: u8) {
        match byte {
            b'"' => {
                self.state = State::BetweenTokens;
                self.end_token(true);
            }
            b'\\' => {
                self.capture(byte);
                self.state = State::Escape;
            }
            _ => self.capture(byte),
        }
    }

    fn outside_string(&mut self, byte: u8) -> Option<Message> {
        if self.state == State::Literal && matches!(byte, b',' | b'}' | b']' | b' ' | b'\t' | b'\r') {
            self.state = State::BetweenTokens;
            self.end_token(false);
        }
        match byte {
            b'{' | b'[' => self.open(byte),
            b'}' | b']' => return self.close(),
            b'"' if self.depth > 0 => {
                self.start_token();
                self.state = State::String;
            }
            b',' => self.expects_key = self.outer_level().is_some_and(|it| self.is_object[it]),
            b':' => self.expects_key = false,
            b' ' | b'\t' | b'\r' => {}
            _ if self.depth == 0 => self.state = State::InvalidLine,
            _ => {
                if self.state == State::BetweenTokens {
                    self.start_token();
                    self.state = State::Literal;
                }
                self.capture(byte);
            }
        }
        None
    }

    /// Which of the outer two levels we are in: 0 is the message, 1 its `params`, `result` or `error`.
    fn outer_level(&self) -> Option<usize> {
        let level = self.depth.checked_sub(self.batch_depth + 1)?;
        usize::try_from(level).ok().filter(|it| *it < 2)
    }

    fn open(&mut self, byte: u8) {
        if self.outer_level() == Some(0) && self.field[0] == Field::Error {
            self.message.error_code = Some(String::new());
        }
        if self.depth == 0 && byte == b'[' {
            self.batch_depth = 1;
        }
        self.depth = self.depth.saturating_add(1);
        if let Some(level) = self.outer_level() {
            self.is_object[level] = byte == b'{';
            self.field[level] = Field::Other;
            self.expects_key = byte == b'{';
            if level == 0 {
                self.message = Message::default();
            }
        }
    }

    fn close(&mut self) -> Option<Message> {
        if self.depth == 0 {
            self.state = State::InvalidLine;
            return None;
        }
        let is_complete = self.outer_level() == Some(0) && self.is_object[0];
        self.depth -= 1;
        self.expects_key = false;
        if self.depth == 0 {
            self.batch_depth = 0;
        }
        is_complete.then(|| std::mem::take(&mut self.message))
    }

    fn start_token(&mut self) {
        const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
        self.token.clear();
        self.hash = FNV_OFFSET;
        self.is_capturing = self
            .outer_level()
            .is_some_and(|it| self.is_object[it] && (self.expects_key || self.field[it].is_captured()));
    }

    fn capture(&mut self, byte: u8) {
        const FNV_PRIME: u64 = 0x0100_0000_01b3;
        if self.is_capturing {
            self.hash = (self.hash ^ u64::from(byte)).wrapping_mul(FNV_PRIME);
            if self.token.len() < MAX_CAPTURED {
                self.token.push(byte);
            }
        }
    }

    fn end_token(&mut self, is_string: bool) {
        let Some(level) = self.outer_level().filter(|it| self.is_object[*it]) else { return };
        let is_captured = std::mem::take(&mut self.is_capturing);
        if self.expects_key {
            let parent = (level == 1).then_some(self.field[0]);
            self.field[level] =
                if is_string { Field::from_key(parent, &decode(&self.token)) } else { Field::Other };
        } else if is_captured {
            self.set_field(self.field[level], is_string);
        }
    }

    fn set_field(&mut self, field: Field, is_string: bool) {
        let text = if is_string { decode(&self.token) } else { String::from_utf8_lossy(&self.token).into() };
        let is_null = !is_string && text == "null";
        let hash = (self.token.len() >= MAX_CAPTURED).then_some(self.hash);
        let id = || RequestId { text: text.clone(), is_string, hash };
        match field {
            Field::Id if !is_null => self.message.id = Some(id()),
            Field::CancelledId if !is_null => self.message.cancelled_id = Some(id()),
            Field::Method if is_string => self.message.method = Some(text),
            Field::Name if is_string => self.message.params_name = Some(text),
            Field::Code if !is_string => self.message.error_code = Some(text),
            Field::IsError => self.message.is_error = !is_string && text == "true",
            _ => {}
        }
    }
}

/// The bytes from `at` on; none without it.
fn skip_to(bytes: &[u8], at: Option<usize>) -> &[u8] {
    &bytes[at.unwrap_or(bytes.len())..]
}

/// The text of a string, of which the end may have been cut.
fn decode(token: &[u8]) -> String {
    let plain = || String::from_utf8_lossy(token).into_owned();
    if token.len() >= MAX_CAPTURED || !token.contains(&b'\\') {
        return plain();
    }
    let quoted = [b"\"", token, b"\""].concat();
    serde_json::from_slice(&quoted).unwrap_or_else(|_| plain())
}

#[cfg(test)]
mod tests;

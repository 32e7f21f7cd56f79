//! Finds the ids of requests in what is no message: broken JSON, too long a line, several messages in one line.
//!
//! Bytes, cut anywhere -> ids, byte for byte. Invariant: memory is bounded, however long the line is.
//!
//! A state machine that knows strings, braces and commas and nothing else of JSON, so that it finds an id before and behind
//! whatever is wrong.

/// Longer ids are not answered: to cut one would be to answer another.
const MAX_TOKEN: usize = 1024;

/// Ids of one line that are remembered.
const MAX_IDS: usize = 1024;

#[derive(Debug, Default)]
pub(crate) struct Salvage {
    /// Open braces and brackets.
    depth: u32,
    /// A list of messages.
    is_batch: bool,
    is_string: bool,
    is_escape: bool,
    /// The token at hand, if it is one of a message's own, and whether it was too long.
    token: Vec<u8>,
    is_cut: bool,
    /// The key whose value comes.
    key: Option<Vec<u8>>,
    message: Message,
    ids: Vec<String>,
    /// Messages without an id that can be told.
    unknown: u64,
}

#[derive(Debug, Default)]
struct Message {
    id: Option<String>,
    /// It has a result or an error.
    is_answer: bool,
    is_empty: bool,
}

impl Salvage {
    /// Reads on; line breaks are blanks.
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.byte(byte);
        }
    }

    /// The ids of all requests in it, and how many messages have none.
    pub(crate) fn finish(mut self) -> (Vec<String>, u64) {
        if self.depth > 0 {
            self.value_ends();
            self.message_ends();
        } else if self.ids.is_empty() && self.unknown == 0 {
            self.unknown = 1;
        }
        (self.ids, self.unknown)
    }

    fn byte(&mut self, byte: u8) {
        if self.is_escape {
            self.is_escape = false;
            return self.push(byte);
        }
        if self.is_string {
            self.push(byte);
            match byte {
                b'\\' => self.is_escape = true,
                b'"' => self.is_string = false,
                _ => {}
            }
            return;
        }
        match byte {
            b'"' => {
                self.push(byte);
                self.is_string = true;
            }
            b'{' | b'[' => self.open(byte),
            b'}' | b']' => self.close(),
            b':' if self.is_own() => self.key = Some(std::mem::take(&mut self.token)),
            b',' if self.is_own() => self.value_ends(),
            b' ' | b'\t' | b'\r' | b'\n' => {}
            _ => self.push(byte),
        }
    }

    /// At the level of a message's own keys.
    fn is_own(&self) -> bool {
        self.depth == 1 + u32::from(self.is_batch)
    }

    fn push(&mut self, byte: u8) {
        if !self.is_own() {
            return;
        }
        if self.token.len() < MAX_TOKEN {
            self.token.push(byte);
        } else {
            self.is_cut = true;
        }
    }

    fn open(&mut self, byte: u8) {
        if self.is_own() {
            self.push(byte); // what begins so is no id
        }
        if self.depth == 0 {
            self.is_batch = byte == b'[';
        }
        self.depth = self.depth.saturating_add(1);
        if self.is_own() && byte == b'{' {
            self.start_message();
        }
    }

    fn start_message(&mut self) {
        self.message = Message { is_empty: true, ..Message::default() };
        self.token.clear();
        self.key = None;
        self.is_cut = false;
    }

    fn close(&mut self) {
        if self.is_own() {
            self.value_ends();
            self.message_ends();
        }
        self.depth = self.depth.saturating_sub(1);
    }

    fn value_ends(&mut self) {
        let is_cut = std::mem::take(&mut self.is_cut);
        let token = std::mem::take(&mut self.token);
        match self.key.take().as_deref() {
            Some(b"\"id\"") if !is_cut && is_id(&token) => {
                self.message.id = String::from_utf8(token).ok();
            }
            Some(b"\"result\"" | b"\"error\"") => self.message.is_answer = true,
            None => return,
            _ => {}
        }
        self.message.is_empty = false;
    }

    fn message_ends(&mut self) {
        let message = std::mem::take(&mut self.message);
        match message.id {
            Some(id) if !message.is_answer && self.ids.len() < MAX_IDS => self.ids.push(id),
            None if message.is_empty && self.is_batch => {}
            _ => self.unknown += 1,
        }
    }
}

/// A whole string or number.
fn is_id(token: &[u8]) -> bool {
    match token {
        [b'"', .., b'"'] => true,
        [b'-' | b'0'..=b'9', ..] => serde_json::from_slice::<serde_json::Number>(token).is_ok(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(text: &[u8]) -> (Vec<String>, u64) {
        let whole = || {
            let mut salvage = Salvage::default();
            salvage.feed(text);
            salvage.finish()
        };
        let mut cut = Salvage::default();
        text.iter().for_each(|it| cut.feed(&[*it]));
        assert_eq!(whole(), cut.finish());
        whole()
    }

    fn found(text: &str) -> Vec<String> {
        ids(text.as_bytes()).0
    }

    #[test]
    fn an_id_is_found_before_and_behind_what_is_wrong() {
        assert_eq!(found(r#"{"id":7,"method":"m","params":{"x":NaN,"id":8}}"#), ["7"]);
        assert_eq!(found(r#"{"params":{"x":NaN,"id":8},"method":"m","id":"a\"b"}"#), [r#""a\"b""#]);
        assert_eq!(found(r#"{"id":1.50,"method":"m","par"#), ["1.50"]);
        assert_eq!(found(r#"{"method":"m","id":12"#), ["12"]);
        assert_eq!(found(r#"{"id": 1, }{"method":"x" ,"id": "2" }"#), ["1", "\"2\""]);
        assert_eq!(ids(b"{\"id\":3,\"x\":\"\xff\xfe\"}"), (vec!["3".into()], 0));
        let deep = format!(r#"{{"a":{}{},"id":5}}"#, "[".repeat(200), "]".repeat(200));
        assert_eq!(found(&deep), ["5"]);
    }

    #[test]
    fn a_batch_has_many() {
        assert_eq!(
            ids(br#"[{"id":1,"method":"a"},{"method":"n"},{"id":"2","method":"b"}]"#).0,
            ["1", "\"2\""]
        );
    }

    #[test]
    fn what_is_no_request_has_none() {
        for text in
            [r#"{"id":1,"result":{}}"#, r#"{"id":null}"#, r#"{"id":[1]}"#, "id:1", "", r#"{"x":{"id":1}}"#]
        {
            let (ids, unknown) = ids(text.as_bytes());
            assert!(ids.is_empty() && unknown == 1, "{text}: {ids:?} {unknown}");
        }
        let long = format!(r#"{{"id":"{}","method":"m"}}"#, "x".repeat(2000));
        assert_eq!(ids(long.as_bytes()), (Vec::new(), 1), "a cut id would be another's");
    }

    #[test]
    fn memory_is_bounded() {
        let mut salvage = Salvage::default();
        salvage.feed(&b"[".repeat(10));
        for _ in 0..100_000 {
            salvage.feed(br#"{"id":"0123456789"},"#);
        }
        assert!(salvage.token.capacity() <= 2 * MAX_TOKEN && salvage.ids.len() <= MAX_IDS);
    }
}

//! What a model can ask this server for.
//!
//! A tool's arguments -> a result, or a message that says what was wrong and what to do.

use std::cmp::Reverse;
use std::fmt;

use drydock_kit::{Json, Parameters};
use garde::Validate;
use rmcp::model::{Implementation, ServerCapabilities, ServerConfig};
use rmcp::{ServerHandler, tool, tool_handler, tool_router};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// As people read it in their client.
const TITLE: &str = "__TITLE__";

/// The server. What its tools share goes in here: a session may run several calls at once.
#[derive(Debug)]
pub(crate) struct Tools;

/// What `count_words` takes. One attribute makes both the rule that clients see and the check of each call.
#[derive(Debug, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields)]
struct CountWords {
    /// What to count in.
    #[garde(length(chars, min = 1, max = 20_000))]
    text: String,
    /// How many of the longest words to name.
    #[garde(range(min = 0, max = 20))]
    #[serde(default = "three")]
    longest: u8,
}

fn three() -> u8 {
    3
}

/// What comes back: structured by `Serialize`, readable by `Display`.
#[derive(Debug, Serialize, JsonSchema)]
struct WordCount {
    /// How many words there are.
    words: usize,
    /// The longest first, each once.
    longest: Vec<String>,
}

impl fmt::Display for WordCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} words; the longest: {}", self.words, self.longest.join(", "))
    }
}

#[tool_router]
impl Tools {
    /// Count the words of a text, and name the longest ones.
    #[tool(
        title = "Count words",
        annotations(
            read_only_hint = true,
            destructive_hint = false,
            idempotent_hint = true,
            open_world_hint = false
        )
    )]
    async fn count_words(&self, Parameters(args): Parameters<CountWords>) -> Result<Json<WordCount>, String> {
        let mut words: Vec<&str> = args.text.split_whitespace().collect();
        if words.is_empty() {
            return Err("`text` holds blanks alone: give it at least one word".to_owned());
        }
        let count = words.len();
        words.sort_unstable_by_key(|it| (Reverse(it.chars().count()), *it));
        words.dedup();
        words.truncate(usize::from(args.longest));
        Ok(Json(WordCount { words: count, longest: words.into_iter().map(str::to_owned).collect() }))
    }

    // The next tool goes here: a function with `#[tool(..)]`, a struct as `CountWords` for its arguments, and one as
    // `WordCount` for its result. Its comment is what the model reads to choose it, a field's comment what it reads to fill
    // that in. `Err(..)` reaches the model, too: say what was wrong, and what to do. The hints are promises: one that changes
    // something is not `read_only_hint`, one that asks the network is `open_world_hint`. What blocks (a long computation, a
    // library that waits) goes into `drydock_kit::blocking`. Then a test in `tests/it.rs`.
}

#[tool_handler]
impl ServerHandler for Tools {
    fn get_info(&self) -> ServerConfig {
        let about = Implementation::new(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION")).with_title(TITLE);
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build()).with_server_info(about)
    }
}

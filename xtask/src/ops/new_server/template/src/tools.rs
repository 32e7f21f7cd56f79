//! What a model can ask this server for.
//!
//! A tool's arguments -> a result, or a message that says what was wrong and what to do.

use std::cmp::Reverse;

use drydock_kit::prelude::*;
use serde::{Deserialize, Serialize};

/// The server. What its tools share goes in here: a session may run several calls at once.
#[derive(Debug)]
pub(crate) struct Tools;

/// What `count_words` takes. Clients see these limits, and each call is checked against them.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CountWords {
    /// What to count in.
    #[schemars(length(min = 1, max = 20_000))]
    text: String,
    /// How many of the longest words to name.
    #[schemars(range(max = 20))]
    #[serde(default = "three")]
    longest: u8,
}

fn three() -> u8 {
    3
}

/// What comes back.
#[derive(Debug, Serialize, JsonSchema)]
struct WordCount {
    /// How many words there are.
    words: usize,
    /// The longest first, each once.
    longest: Vec<String>,
}

#[server(title = "__TITLE__")]
impl Tools {
    /// Count the words of a text, and name the longest ones.
    #[tool(read_only, idempotent, title = "Count words")]
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
    // that in. `Err(..)` reaches the model, too: say what was wrong, and what to do. The words of `#[tool]` are promises: one
    // that changes something is not `read_only` (but `additive`, if it destroys nothing), one that asks the network is
    // `open_world`. `Json(..).with_text(..)` shows people better words than a line for each field. What blocks (a long
    // computation, a library that waits) goes into `drydock_kit::blocking`. Then a test in `tests/it.rs`.
}

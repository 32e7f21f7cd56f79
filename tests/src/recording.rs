//! A recording of `cargo xtask quickstart`: what a terminal shows after it, as it stands in `docs/quickstart.txt`.
//!
//! A run -> the text of its session -> the same text without what differs from run to run. Invariant: apart from the
//! names of the recording's own environment, each line of the text was printed by the command.

use std::fmt::Write as _;
use std::path::PathBuf;

use crate::process::{BUILD_TIMEOUT, CommandOutput, run_with};
use crate::test_env::{TestEnv, workspace_root};

/// The line that a person types.
pub const COMMAND: &str = "$ cargo xtask quickstart";
/// The last block of the screen.
const NEXT: &str = "What next";

/// Where the recording stands.
pub fn path() -> PathBuf {
    workspace_root().join("docs/quickstart.txt")
}

/// Runs the command in an environment whose root is a copy of the workspace. Fails the test when it fails.
#[track_caller]
pub fn run(env: &TestEnv) -> CommandOutput {
    run_with(&mut env.xtask(&["quickstart"]), &[], BUILD_TIMEOUT).ok()
}

/// What a terminal shows when it has ended: the command, the progress, the last screen. `version` is the copy's.
pub fn session(output: &CommandOutput, env: &TestEnv, version: &str) -> String {
    let mut text = format!("{COMMAND}\n");
    // On a terminal a step is one line, which changes when the step is done; elsewhere its beginning is a line, too.
    for line in output.stderr.lines().filter(|it| !it.contains(" ..")) {
        let _ = writeln!(text, "{line}");
    }
    text.push_str(&output.stdout);
    let text = text.replace(version, env!("CARGO_PKG_VERSION"));
    // A person has no prefix, and another home.
    env.normalize(&text).replace("[PREFIX]", "").replace("[ROOT]", "~/drydock").replace("[TEMP]/home", "~")
}

/// The text without times, dates, sizes, versions and addresses; and without the answer, which needs the weather service.
pub fn comparable(text: &str) -> String {
    let mut lines = Vec::new();
    let mut in_answer = false;
    for line in text.lines() {
        if line.starts_with("The weather service was out of reach")
            || line.starts_with("get_current_weather ")
        {
            in_answer = true;
            lines.push("[ANSWER]".to_owned());
        }
        in_answer &= line != NEXT;
        if !in_answer {
            lines.push(without_figures(line));
        }
    }
    lines.join("\n") + "\n"
}

/// Each word with a digit becomes one `#`, as do the units after it: `2 min 5 s` and `0.4 s` are the same.
fn without_figures(line: &str) -> String {
    let indent = line.len() - line.trim_start().len();
    let mut words: Vec<&str> = Vec::new();
    for word in line.split_whitespace() {
        let figure = word.contains(|it: char| it.is_ascii_digit());
        let unit = matches!(word.trim_end_matches([')', ',']), "s" | "min" | "ms" | "MiB");
        let word = if figure || (unit && words.last() == Some(&"#")) { "#" } else { word };
        if word != "#" || words.last() != Some(&"#") {
            words.push(word);
        }
    }
    format!("{}{}", &line[..indent], words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: &str = "$ cargo xtask quickstart
docker 20.10.24+dfsg1; a quick build
packing drydock/weather:0.1.0: 1.9 s

weather works (20.5 s)

  server   mcp-weather, sandboxed

The weather service was out of reach, so here is the sun, which is computed:
  no network

sun_times {\"place\": \"Reykjavik\"}
  sunrise 10:19

What next
  cargo xtask down weather  stop it
";

    #[test]
    fn what_differs_from_run_to_run_is_not_compared() {
        let there = "$ cargo xtask quickstart
docker 28.1.0; a quick build
packing drydock/weather:0.2.0: 1 min 9 s

weather works (2 min 5 s)

  server   mcp-weather, sandboxed

get_current_weather {\"place\": \"Reykjavik\"}
  Reykjavik: 4 degrees

What next
  cargo xtask down weather  stop it
";
        assert_eq!(comparable(HERE), comparable(there));
    }

    #[test]
    fn what_is_said_is_compared() {
        let other = HERE.replace("stop it", "end it");
        assert_ne!(comparable(HERE), comparable(&other));
        let other = HERE.replace("sandboxed", "WITHOUT a sandbox");
        assert_ne!(comparable(HERE), comparable(&other));
    }
}

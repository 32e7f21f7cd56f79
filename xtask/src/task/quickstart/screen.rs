//! The last screen of `quickstart`.
//!
//! What happened -> text on stdout. Invariant: what a server said is escaped before it reaches the terminal.

use std::io::{self, IsTerminal, Write};

use anyhow::Result;
use drydock_contract::terminal::escape_line;

pub(super) struct Screen {
    /// The container's name.
    pub(super) place: String,
    pub(super) sandboxed: bool,
    pub(super) clients: Vec<String>,
    /// Names and titles.
    pub(super) tools: Vec<(String, String)>,
    pub(super) answer: Answer,
    pub(super) took: String,
    /// The options that every further command needs, too; begins with a blank, or is empty.
    pub(super) options: String,
}

pub(super) struct Answer {
    pub(super) tool: &'static str,
    pub(super) arguments: String,
    pub(super) text: String,
    /// Why it was not the weather.
    pub(super) why: Option<String>,
}

impl Screen {
    pub(super) fn show(&self) -> Result<()> {
        let colour = io::stdout().is_terminal() && crate::ui::progress::colour();
        io::stdout().write_all(self.text(colour).as_bytes())?;
        Ok(())
    }

    fn text(&self, colour: bool) -> String {
        let head = |text: &str| if colour { format!("\u{1b}[1m{text}\u{1b}[0m") } else { text.to_owned() };
        let mut lines = vec![String::new(), head(&format!("weather works ({})", self.took)), String::new()];
        lines.push(format!("  server   {}{}", self.place, self.sandbox()));
        lines.push(format!("  clients  {}, in this folder", self.clients.join(" and ")));
        for (i, (name, title)) in self.tools.iter().enumerate() {
            let label = if i == 0 { "tools" } else { "" };
            lines.push(
                format!("  {label:7}  {:19}  {}", escape_line(name), escape_line(title))
                    .trim_end()
                    .to_owned(),
            );
        }
        lines.push(String::new());
        if let Some(why) = &self.answer.why {
            lines.push(format!(
                "The weather service was out of reach, so here is the sun, which is computed:\n  {}",
                escape_line(why)
            ));
            lines.push(String::new());
        }
        lines.push(head(&format!("{} {}", self.answer.tool, self.answer.arguments)));
        lines.extend(self.answer.text.lines().map(|it| format!("  {}", escape_line(it))));
        lines.extend([String::new(), head("What next")]);
        let next = if self.sandboxed { WITH_ENGINE } else { ON_HOST };
        let open = format!("open this folder in {}", self.clients.first().map_or("a client", String::as_str));
        let next = next.iter().map(|(command, what)| (format!("{command}{}", self.options), *what));
        let next: Vec<_> = std::iter::once((open, ASK)).chain(next).collect();
        let width = next.iter().map(|it| it.0.len()).max().unwrap_or_default();
        lines.extend(next.iter().map(|(command, what)| format!("  {command:width$}  {what}")));
        lines.join("\n") + "\n"
    }

    fn sandbox(&self) -> &'static str {
        if self.sandboxed { ", sandboxed" } else { ", WITHOUT a sandbox" }
    }
}

/// Commands, and what each is for.
type Next = [(&'static str, &'static str)];

const ASK: &str = "and ask: how is the weather in Reykjavik?";
const WITH_ENGINE: &Next = &[
    ("cargo xtask install-client --server weather", "the same in all of your projects"),
    ("cargo xtask build-images weather", "the small image (this one is unoptimised)"),
    ("cargo xtask logs weather -f", "what goes on in it"),
    ("cargo xtask down weather", "stop it"),
];
const ON_HOST: &Next = &[
    ("cargo xtask install-client --server weather --via host", "the same in all of your projects"),
    ("cargo xtask doctor", "what a sandbox needs on this machine"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn screen() -> Screen {
        Screen {
            place: "mcp-weather".into(),
            sandboxed: true,
            clients: vec!["Cursor".into(), "Claude Code".into()],
            tools: vec![("find_place".into(), "Find a place".into()), ("sun_times".into(), String::new())],
            answer: Answer {
                tool: "sun_times",
                arguments: "{}".into(),
                text: "sunrise 10:19\nsunset \u{1b}[31m16:08".into(),
                why: Some("no network".into()),
            },
            took: "1 min 2 s".into(),
            options: String::new(),
        }
    }

    #[test]
    fn the_last_screen() {
        let golden = "
weather works (1 min 2 s)

  server   mcp-weather, sandboxed
  clients  Cursor and Claude Code, in this folder
  tools    find_place           Find a place
           sun_times

The weather service was out of reach, so here is the sun, which is computed:
  no network

sun_times {}
  sunrise 10:19
  sunset \\u{1b}[31m16:08

What next
  open this folder in Cursor                   and ask: how is the weather in Reykjavik?
  cargo xtask install-client --server weather  the same in all of your projects
  cargo xtask build-images weather             the small image (this one is unoptimised)
  cargo xtask logs weather -f                  what goes on in it
  cargo xtask down weather                     stop it
";
        assert_eq!(screen().text(false), golden);
    }

    #[test]
    fn without_a_sandbox_it_says_so() {
        let text = Screen { sandboxed: false, ..screen() }.text(true);
        assert!(text.contains("WITHOUT a sandbox") && !text.contains("cargo xtask down"), "{text}");
    }
}

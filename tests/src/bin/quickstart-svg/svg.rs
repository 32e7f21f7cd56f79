//! A terminal's window as an SVG.
//!
//! Text -> SVG: no script, no font of its own, light or dark as the reader's system is. Invariant: each glyph has its
//! column, whatever font the reader has: each run of text is as long as its columns.

use std::fmt::Write as _;

/// Columns; longer lines are wrapped.
const COLUMNS: usize = 98;
/// Pixels, at the width that GitHub shows.
const WIDTH: f64 = 830.0;
const COLUMN: f64 = 8.0;
const LINE: f64 = 20.0;
const MARGIN: f64 = 23.0;
const TITLE_BAR: f64 = 38.0;
/// From the title bar to the base line of the first line.
const FIRST_LINE: f64 = 32.0;

const STYLE: &str = "\
    svg { color-scheme: light dark }
    text { white-space: pre; font: 13.2px ui-monospace, SFMono-Regular, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace; fill: #1f2328 }
    .window { fill: #ffffff; stroke: #d1d9e0 }
    .bar { fill: #f6f8fa }
    .rule { stroke: #d1d9e0 }
    .title, .progress { fill: #59636e }
    .title { text-anchor: middle }
    .prompt { fill: #1a7f37 }
    .prompt, .typed, .heading { font-weight: bold }
    @media (prefers-color-scheme: dark) {
      text { fill: #e6edf3 }
      .window { fill: #0d1117; stroke: #3d444d }
      .bar { fill: #161b22 }
      .rule { stroke: #3d444d }
      .title, .progress { fill: #9198a1 }
      .prompt { fill: #3fb950 }
    }
";

/// What a line of the session is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Typed,
    Progress,
    Heading,
    Plain,
}

impl Role {
    fn class(self) -> &'static str {
        match self {
            Self::Typed => "typed",
            Self::Progress => "progress",
            Self::Heading => "heading",
            Self::Plain => "plain",
        }
    }
}

/// The picture of a session: a command after `$ `, its progress, and after an empty line what it printed.
pub(crate) fn render(session: &str) -> String {
    let rows: Vec<_> = lines(session).into_iter().flat_map(|(role, line)| wrap(role, &line)).collect();
    let mut body = String::new();
    for (row, (role, text)) in rows.iter().enumerate() {
        push_row(&mut body, row, *role, text);
    }
    #[expect(clippy::cast_precision_loss, reason = "a few dozen lines")]
    let height = TITLE_BAR + FIRST_LINE + LINE * rows.len() as f64;
    frame(height, &body)
}

/// The lines of a session, each with what it is.
fn lines(session: &str) -> Vec<(Role, String)> {
    let mut progress = true;
    session
        .trim_end()
        .lines()
        .map(|line| {
            progress &= !line.is_empty();
            let role = match line {
                _ if line.starts_with("$ ") => Role::Typed,
                _ if progress => Role::Progress,
                _ if line.is_empty() || line.starts_with(' ') || line.ends_with(':') => Role::Plain,
                _ => Role::Heading,
            };
            (role, line.to_owned())
        })
        .collect()
}

/// Breaks a long line at blanks; what follows is as far in as its beginning.
fn wrap(role: Role, line: &str) -> Vec<(Role, String)> {
    let indent = " ".repeat((line.len() - line.trim_start().len()).min(COLUMNS / 2));
    let mut rows = Vec::new();
    let mut rest = line.to_owned();
    while rest.chars().count() > COLUMNS {
        let head: String = rest.chars().take(COLUMNS + 1).collect();
        let blank = head.rfind(' ').filter(|it| *it > indent.len());
        let at = blank.unwrap_or_else(|| head.char_indices().nth(COLUMNS).map_or(head.len(), |it| it.0));
        rows.push((role, rest[..at].to_owned()));
        rest = format!("{indent}{}", rest[at..].trim_start());
    }
    rows.push((role, rest));
    rows
}

fn push_row(body: &mut String, row: usize, role: Role, text: &str) {
    match (role, text.strip_prefix("$ ")) {
        (Role::Typed, Some(typed)) => {
            push_run(body, row, 0, "prompt", "$");
            push_run(body, row, 2, role.class(), typed);
        }
        _ => {
            let indent = text.chars().take_while(|it| *it == ' ').count();
            push_run(body, row, indent, role.class(), text.trim());
        }
    }
}

/// One run of glyphs that begins in `column`.
#[expect(clippy::cast_precision_loss, reason = "a few dozen lines of a hundred columns")]
fn push_run(body: &mut String, row: usize, column: usize, class: &str, text: &str) {
    if text.is_empty() {
        return;
    }
    let x = MARGIN + COLUMN * column as f64;
    let y = TITLE_BAR + FIRST_LINE + LINE * row as f64;
    let length = COLUMN * text.chars().count() as f64;
    let _ = writeln!(
        body,
        "  <text class=\"{class}\" x=\"{x}\" y=\"{y}\" textLength=\"{length}\" xml:space=\"preserve\">{}</text>",
        escape(text)
    );
}

fn frame(height: f64, body: &str) -> String {
    let (right, bottom) = (WIDTH - 0.5, height - 0.5);
    let (middle, title) = (WIDTH / 2.0, TITLE_BAR / 2.0 + 4.5);
    let mut dots = String::new();
    for (x, colour) in [(22, "#ff5f57"), (42, "#febc2e"), (62, "#28c840")] {
        let _ = writeln!(dots, "  <circle cx=\"{x}\" cy=\"{}\" r=\"6\" fill=\"{colour}\"/>", TITLE_BAR / 2.0);
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" \
         role=\"img\" aria-labelledby=\"name\">
  <!-- Made from quickstart.txt by the program quickstart-svg of the package drydock-tests. -->
  <title id=\"name\">A terminal in which cargo xtask quickstart has run; the text is in docs/quickstart.txt</title>
  <style>
{STYLE}  </style>
  <path class=\"window\" d=\"M10.5 0.5 H{curve} a10 10 0 0 1 10 10 V{low} a10 10 0 0 1 -10 10 H10.5 a10 10 0 0 1 -10 -10 V10.5 a10 10 0 0 1 10 -10 z\"/>
  <path class=\"bar\" d=\"M1 {TITLE_BAR} V10.5 a9.5 9.5 0 0 1 9.5 -9.5 H{curve} a9.5 9.5 0 0 1 9.5 9.5 V{TITLE_BAR} z\"/>
  <path class=\"rule\" d=\"M1 {TITLE_BAR}.5 H{right}\"/>
{dots}  <text class=\"title\" x=\"{middle}\" y=\"{title}\">drydock</text>
{body}</svg>
",
        curve = right - 10.0,
        low = bottom - 10.0,
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SESSION: &str =
        "$ cargo xtask x\nbuilding: 1 s\n\nit works (1 s)\n\n  a <b> & c\n\nnote:\n  d\n\nend\n";

    #[test]
    fn each_line_has_its_role() {
        let roles: Vec<_> = lines(SESSION).into_iter().filter(|it| !it.1.is_empty()).map(|it| it.0).collect();
        let (typed, progress, heading, plain) = (Role::Typed, Role::Progress, Role::Heading, Role::Plain);
        assert_eq!(roles, [typed, progress, heading, plain, plain, plain, heading]);
    }

    #[test]
    fn text_is_escaped_and_in_its_column() {
        let picture = render(SESSION);
        let run = "x=\"39\" y=\"170\" textLength=\"72\" xml:space=\"preserve\">a &lt;b&gt; &amp; c</text>";
        assert!(picture.contains(run), "{picture}");
    }

    #[test]
    fn long_lines_are_broken_at_blanks() {
        let line = format!("  {} {}", "a".repeat(COLUMNS - 4), "b".repeat(5));
        let rows: Vec<_> = wrap(Role::Plain, &line).into_iter().map(|it| it.1).collect();
        assert_eq!(rows, [format!("  {}", "a".repeat(COLUMNS - 4)), "  bbbbb".to_owned()]);
        assert_eq!(wrap(Role::Plain, ""), [(Role::Plain, String::new())]);
    }

    #[test]
    fn a_line_without_blanks_is_broken_too_and_nothing_is_loaded() {
        let picture = render(&format!("$ x\n\n{}\n", "y".repeat(COLUMNS + 3)));
        assert!(picture.contains(">yyy</text>"), "{picture}");
        assert_eq!(picture.matches("http").count(), 1, "only the name space: {picture}");
        assert!(!picture.contains("<script") && !picture.contains("url("), "{picture}");
    }
}

//! An event as one line of text or JSON.
//!
//! Event -> text. Invariant: a line is shorter than a pipe takes in one piece, and has no control characters.

use std::fmt::Write as _;

use drydock_contract::terminal::escape_line;

use super::Request;

/// Pipes take up to this much in one piece (`PIPE_BUF` of Linux), so lines of several writers never mix.
const MAX_LINE: usize = 4096;

pub(super) fn human(
    time: &str,
    level: &str,
    session: Option<u64>,
    text: &str,
    request: Option<Request<'_>>,
) -> String {
    let mut line = format!("{time} {level:<5} ");
    if let Some(session) = session {
        let _ = write!(line, "[{session}] ");
    }
    match request {
        None => line.push_str(&escape_line(text)),
        Some(it) => {
            line.push_str(&escape_line(it.method));
            if let Some(tool) = it.tool {
                line.push(' ');
                line.push_str(&escape_line(&shorten(tool, 128)));
            }
            let ms = it.elapsed.as_secs_f64() * 1e3;
            let _ = write!(
                line,
                " id={} {ms:.1} ms {}",
                escape_line(&shorten(it.id, 64)),
                escape_line(&shorten(&it.outcome.to_string(), 200))
            );
        }
    }
    line
}

pub(super) fn json(
    time: &str,
    level: &str,
    session: Option<u64>,
    text: &str,
    request: Option<Request<'_>>,
) -> String {
    /// In characters; escaped, each is at most six bytes, so that a line is never cut in the middle of its JSON.
    const MAX_TEXT: usize = 600;
    let mut fields = vec![("time", time.into()), ("level", level.into())];
    if let Some(session) = session {
        fields.push(("session", session.into()));
    }
    match request {
        None => fields.push(("text", shorten(text, MAX_TEXT).into())),
        Some(it) => {
            fields.push(("method", it.method.into()));
            if let Some(tool) = it.tool {
                fields.push(("tool", shorten(tool, 128).into()));
            }
            fields.push(("id", shorten(it.id, 64).into()));
            fields.push(("ms", ((it.elapsed.as_secs_f64() * 1e4).round() / 10.0).into()));
            fields.push(("outcome", shorten(&it.outcome.to_string(), 200).into()));
        }
    }
    let fields: Vec<String> = fields
        .into_iter()
        .map(|(name, value): (&str, serde_json::Value)| format!("\"{name}\":{value}"))
        .collect();
    format!("{{{}}}", fields.join(","))
}

pub(super) fn one_line(mut line: String) -> String {
    if line.len() >= MAX_LINE {
        let mut end = MAX_LINE - 5;
        while !line.is_char_boundary(end) {
            end -= 1;
        }
        line.truncate(end);
        line.push_str("...");
    }
    line.push('\n');
    line
}

fn shorten(text: &str, chars: usize) -> String {
    match text.char_indices().nth(chars) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}...", &text[..end]),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::Outcome;
    use super::*;

    const TIME: &str = "2026-11-22T21:40:00.123Z";

    fn call<'a>(tool: &'a str, outcome: &'a Outcome) -> Option<Request<'a>> {
        let elapsed = Duration::from_micros(1_250);
        Some(Request { method: "tools/call", tool: Some(tool), id: "7", elapsed, outcome })
    }

    #[test]
    fn a_request_in_both_formats() {
        assert_eq!(
            human(TIME, "info", Some(42), "", call("find_place", &Outcome::Ok)),
            "2026-11-22T21:40:00.123Z info  [42] tools/call find_place id=7 1.2 ms ok"
        );
        assert_eq!(
            json(TIME, "warn", Some(42), "", call("find_place", &Outcome::TimedOut)),
            r#"{"time":"2026-11-22T21:40:00.123Z","level":"warn","session":42,"method":"tools/call","tool":"find_place","id":"7","ms":1.3,"outcome":"timed out"}"#
        );
    }

    #[test]
    fn no_line_can_be_forged() {
        let evil = "x\n2026 info ok\u{1b}[2J\u{202e}";
        let line = human(TIME, "info", Some(1), "", call(evil, &Outcome::Ok));
        assert!(!line.contains('\n') && !line.contains('\u{1b}') && !line.contains('\u{202e}'), "{line}");
        let line = json(TIME, "info", Some(1), evil, None);
        assert!(!line.contains('\n') && !line.contains('\u{1b}'), "{line}");
    }

    #[test]
    fn a_line_fits_into_a_pipe_in_one_piece() {
        let line = one_line("ü".repeat(MAX_LINE));
        assert!(line.len() <= MAX_LINE && line.ends_with("...\n"));
        assert!(human(TIME, "info", Some(1), "", call(&"t".repeat(9000), &Outcome::Ok)).len() < MAX_LINE);
        let worst = "\u{1}".repeat(9000);
        let outcome = Outcome::ProtocolError(worst.clone().into());
        let request = Request { id: &worst, ..call(&worst, &outcome).unwrap() };
        for json in
            [json(TIME, "info", Some(1), &worst, None), json(TIME, "info", Some(1), "", Some(request))]
        {
            assert!(json.len() < MAX_LINE, "{}", json.len());
            assert!(serde_json::from_str::<serde_json::Value>(&json).is_ok());
        }
    }
}

//! Questions to a person.
//!
//! Question -> answer. Invariant: nobody is asked who cannot see the question, or cannot answer it; Ctrl-C ends the command
//! while it waits.

use std::io::{self, BufRead, IsTerminal};

use anyhow::Result;

use crate::interrupt;

/// Why nobody can be asked: the stream that is no terminal.
pub(crate) fn not_a_terminal() -> Option<&'static str> {
    let streams = [("stdin", io::stdin().is_terminal()), ("stderr", io::stderr().is_terminal())];
    streams.into_iter().find(|(_, is_terminal)| !is_terminal).map(|(stream, _)| stream)
}

/// What a person writes, without blanks around it; empty at the end of the input.
pub(crate) fn line(question: &str) -> Result<String> {
    eprint!("{question}");
    let mut answer = String::new();
    interrupt::while_asking(|| io::stdin().lock().read_line(&mut answer))?;
    Ok(answer.trim().to_owned())
}

//! The practical limit: one tool, answered by a loop written by hand, without an SDK. What `figures` compares with.
//!
//! A file with a tool's result, then JSON-RPC lines on stdin -> answers on stdout. Invariant: it does what a server
//! cannot do without (read a line, parse it, serialise the result, write it) and nothing else.

use std::io::{BufRead, Write};

use serde_json::{Value, json};

fn main() -> std::io::Result<()> {
    let file = std::env::args().nth(1).expect("a file with the result of the one tool");
    let result: Value = serde_json::from_str(&std::fs::read_to_string(file)?)?;
    let mut stdin = std::io::stdin().lock();
    let mut stdout = std::io::stdout().lock();
    let mut line = String::new();
    while stdin.read_line(&mut line)? > 0 {
        let request: Value = serde_json::from_str(&line)?;
        let answer = match request["method"].as_str() {
            Some("initialize") => Some(json!({
                "protocolVersion": request["params"]["protocolVersion"],
                "capabilities": {"tools": {}},
                "serverInfo": {"name": "raw", "version": "0"},
            })),
            Some("tools/call") => Some(result.clone()),
            _ => None,
        };
        if let Some(answer) = answer {
            let message = json!({"jsonrpc": "2.0", "id": request["id"], "result": answer});
            let mut bytes = serde_json::to_vec(&message)?;
            bytes.push(b'\n');
            stdout.write_all(&bytes)?;
            stdout.flush()?;
        }
        line.clear();
    }
    Ok(())
}

//! A stand-in for Open-Meteo: the real service's requests and answers, its error format, and on demand its bad days.
//!
//! `open-meteo ADDR` -> HTTP on ADDR, each request a line on stderr. Invariant: stateless but for counting tries; which
//! fault a request gets is told by its latitude alone (see faults.rs), so that tests in parallel cannot disturb
//! each other.

mod faults;
mod forecast;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

fn main() {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    let listener = TcpListener::bind(&address).unwrap_or_else(|e| panic!("cannot listen on {address}: {e}"));
    eprintln!("listening on {address}");
    for connection in listener.incoming().flatten() {
        thread::spawn(move || drop(converse(connection)));
    }
}

/// Answers the requests of one connection, one after the other.
fn converse(connection: TcpStream) -> std::io::Result<()> {
    let mut reader = BufReader::new(connection.try_clone()?);
    let mut connection = connection;
    while let Some(target) = next_request(&mut reader)? {
        eprintln!("GET {target}");
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let query = parameters(query);
        if path != "/v1/forecast" {
            answer(&mut connection, "404 Not Found", &forecast::error("Not Found"))?;
            continue;
        }
        match faults::Fault::asked_by(&query) {
            Some(fault) => return fault.happen(&mut connection),
            None => match forecast::forecast(&query) {
                Ok(body) => answer(&mut connection, "200 OK", &body)?,
                Err(reason) => answer(&mut connection, "400 Bad Request", &forecast::error(&reason))?,
            },
        }
    }
    Ok(())
}

/// The next request's target; its header is read and not needed.
fn next_request(reader: &mut impl BufRead) -> std::io::Result<Option<String>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let target = line.split(' ').nth(1).unwrap_or("/").to_owned();
    let mut header = String::new();
    while reader.read_line(&mut header)? > 2 {
        header.clear();
    }
    Ok(Some(target))
}

fn answer(connection: &mut impl Write, status: &str, body: &str) -> std::io::Result<()> {
    let length = body.len();
    write!(
        connection,
        "HTTP/1.1 {status}\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

fn parameters(query: &str) -> BTreeMap<String, String> {
    query
        .split('&')
        .filter_map(|it| it.split_once('='))
        .map(|(key, value)| (decode(key), decode(value)))
        .collect()
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let code = after
            .get(..2)
            .and_then(|it| std::str::from_utf8(it).ok())
            .and_then(|it| u8::from_str_radix(it, 16).ok());
        match (first, code) {
            (b'%', Some(code)) => {
                bytes.push(code);
                rest = &after[2..];
            }
            (byte, _) => {
                bytes.push(if byte == b'+' { b' ' } else { byte });
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

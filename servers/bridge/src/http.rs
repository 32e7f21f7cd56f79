//! `/healthz` and `/readyz` over HTTP, for orchestrators that cannot run `/mcp health` in the container.
//!
//! GET -> 200 or 503 and one line of text. Invariants: a client that is slow or sends too much costs a bounded time and
//! is closed, and no web page can ask: a request for a host that is a name, as DNS rebinding makes it, is refused.

use std::io::{self, Read, Write};
use std::net::{IpAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use drydock_runtime::control_client;
use drydock_runtime::log::Log;

use crate::error::Error;

/// In bytes; a probe's request is short.
const MAX_REQUEST_HEAD: usize = 4096;
const REQUEST_TIMEOUT: Duration = Duration::from_secs(2);

/// Answers on a thread of its own, for as long as `serve` lives.
pub(crate) fn start(address: &str, socket: PathBuf, log: Log) -> Result<(), Error> {
    let listener = TcpListener::bind(address).map_err(Error::io(format!("cannot listen on {address}")))?;
    let bound = listener.local_addr().map_or_else(|_| address.to_owned(), |it| it.to_string());
    log.info(&format!("health on http://{bound}/healthz and /readyz"));
    let answer = move || {
        for stream in listener.incoming() {
            if let Err(e) = stream.and_then(|it| serve(it, &socket)) {
                log.debug(&format!("a probe over HTTP failed: {e}"));
            }
        }
    };
    let thread = std::thread::Builder::new().name("http".into()).stack_size(64 << 10);
    thread.spawn(answer).map(drop).map_err(Error::io("cannot start a thread"))
}

fn serve(mut stream: TcpStream, socket: &Path) -> io::Result<()> {
    stream.set_write_timeout(Some(REQUEST_TIMEOUT))?;
    let head = read_head(&mut stream)?;
    let (status, text) = answer(&head, || match control_client::health(socket) {
        Ok(it) if it.ready => Ok(()),
        Ok(it) => Err(it.reason.unwrap_or_else(|| "not ready".into())),
        Err(e) => Err(format!("`serve` does not answer: {e}")),
    });
    let length = text.len() + 1;
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {length}\r\n\
         Cache-Control: no-store\r\nConnection: close\r\n\r\n"
    )?;
    if !head.starts_with("HEAD ") {
        writeln!(stream, "{text}")?;
    }
    Ok(())
}

fn read_head(stream: &mut TcpStream) -> io::Result<String> {
    let until = Instant::now() + REQUEST_TIMEOUT;
    let mut head = Vec::new();
    let mut chunk = [0; 1024];
    while !head.windows(4).any(|it| it == b"\r\n\r\n") {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() || head.len() > MAX_REQUEST_HEAD {
            return Err(io::ErrorKind::TimedOut.into());
        }
        stream.set_read_timeout(Some(left))?;
        match stream.read(&mut chunk)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            n => head.extend_from_slice(&chunk[..n]),
        }
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

fn answer(head: &str, ready: impl FnOnce() -> Result<(), String>) -> (&'static str, String) {
    let mut lines = head.split("\r\n");
    let mut words = lines.next().unwrap_or_default().split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let host = lines.find_map(|it| {
        let (name, value) = it.split_once(':')?;
        name.eq_ignore_ascii_case("host").then(|| value.trim())
    });
    if !host.is_some_and(is_address) {
        return ("403 Forbidden", "ask for an address, or for localhost".into());
    }
    match (method, target) {
        ("GET" | "HEAD", "/healthz") => ("200 OK", "ok".into()),
        ("GET" | "HEAD", "/readyz") => match ready() {
            Ok(()) => ("200 OK", "ok".into()),
            Err(reason) => ("503 Service Unavailable", reason),
        },
        (_, "/healthz" | "/readyz") => ("405 Method Not Allowed", "GET".into()),
        _ => ("404 Not Found", "only /healthz and /readyz are here".into()),
    }
}

/// `127.0.0.1:80`, `[::1]`, `localhost:8080`
fn is_address(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|it| it.is_ascii_digit()) => name,
        _ => host,
    };
    let name = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(request: &str, ready: Result<(), String>) -> &'static str {
        answer(&format!("{request}\r\n\r\n"), || ready).0
    }

    #[test]
    fn the_two_probes() {
        assert_eq!(status("GET /healthz HTTP/1.1\r\nHost: 10.0.0.7:8080", Err("no".into())), "200 OK");
        assert_eq!(status("GET /readyz HTTP/1.1\r\nhost: localhost", Ok(())), "200 OK");
        let not_ready =
            answer("GET /readyz HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", || Err("exit code 3".into()));
        assert_eq!(not_ready, ("503 Service Unavailable", "exit code 3".into()));
        assert_eq!(status("POST /readyz HTTP/1.1\r\nHost: 127.0.0.1", Ok(())), "405 Method Not Allowed");
        assert_eq!(status("GET /mcp HTTP/1.1\r\nHost: 127.0.0.1", Ok(())), "404 Not Found");
    }

    #[test]
    fn a_host_that_is_a_name_is_refused() {
        for host in
            ["evil.example", "evil.example:8080", "localhost.evil.example", "", "1.2.3.4.evil.example"]
        {
            assert_eq!(status(&format!("GET /healthz HTTP/1.1\r\nHost: {host}"), Ok(())), "403 Forbidden");
        }
        assert_eq!(status("GET /healthz HTTP/1.1", Ok(())), "403 Forbidden");
    }
}

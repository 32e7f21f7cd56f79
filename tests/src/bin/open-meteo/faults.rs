//! What a weather service does on a bad day.
//!
//! A latitude near the south pole -> a broken answer. Invariant: none of these is an answer that a client may pass on.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::net::TcpStream;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use crate::answer;
use crate::forecast::{error, forecast};

#[derive(Clone, Copy)]
pub(crate) enum Fault {
    ServerError,
    Hang,
    Truncated,
    NotJson,
    Huge,
    WrongSchema,
    Trickle,
    Refused,
    RefusedWithNonsense,
}

impl Fault {
    pub(crate) fn asked_by(query: &BTreeMap<String, String>) -> Option<Self> {
        let latitude: f64 = query.get("latitude")?.parse().ok()?;
        Some(match latitude.trunc() as i32 {
            -81 => Self::ServerError,
            -82 if is_first_try(query) => Self::ServerError,
            -83 => Self::Hang,
            -84 => Self::Truncated,
            -85 => Self::NotJson,
            -86 => Self::Huge,
            -87 => Self::WrongSchema,
            -88 => Self::Trickle,
            -89 => Self::Refused,
            -80 => Self::RefusedWithNonsense,
            _ => return None,
        })
    }

    pub(crate) fn happen(self, connection: &mut TcpStream) -> std::io::Result<()> {
        match self {
            Self::ServerError => answer(connection, "503 Service Unavailable", "upstream connect error"),
            Self::Hang => {
                thread::sleep(Duration::from_secs(600));
                Ok(())
            }
            Self::Truncated => {
                let body = forecast(&BTreeMap::new()).unwrap_or_default();
                let half = &body[..body.len() / 2];
                let length = body.len();
                write!(connection, "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{half}")
            }
            Self::NotJson => {
                answer(connection, "200 OK", "<html><body>Please log in to the hotel's network</body></html>")
            }
            Self::Huge => huge(connection),
            Self::WrongSchema => answer(
                connection,
                "200 OK",
                r#"{"current": "sunny", "daily": 7, "hourly": null, "utc_offset_seconds": "x"}"#,
            ),
            Self::Trickle => trickle(connection),
            Self::Refused => answer(connection, "400 Bad Request", &error("Nobody lives there.")),
            Self::RefusedWithNonsense => {
                answer(connection, "429 Too Many Requests", "\u{1b}[31mslow down\u{1b}[0m")
            }
        }
    }
}

/// Whether this very request has not been seen before.
fn is_first_try(query: &BTreeMap<String, String>) -> bool {
    static SEEN: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    SEEN.lock().is_ok_and(|mut seen| seen.insert(format!("{query:?}")))
}

/// A gigabyte of well-formed beginning.
fn huge(connection: &mut TcpStream) -> std::io::Result<()> {
    write!(
        connection,
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n{{\"current\": ["
    )?;
    let block = "0,".repeat(500_000);
    (0..1000).try_for_each(|_| connection.write_all(block.as_bytes()))
}

/// A byte per second, for ten minutes.
fn trickle(connection: &mut TcpStream) -> std::io::Result<()> {
    write!(connection, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 600\r\n\r\n")?;
    (0..600).try_for_each(|_| {
        thread::sleep(Duration::from_secs(1));
        connection.write_all(b" ")
    })
}

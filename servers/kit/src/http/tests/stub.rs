//! A web service of a few lines, on a real socket: it gives the answers that a test hands it, the last one for ever.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

#[derive(Clone)]
pub(super) enum StubResponse {
    Raw(Vec<u8>),
    /// Closes the connection without a word.
    Drop,
    /// Says nothing until the other side closes.
    Hang,
}

pub(super) fn json(body: &str) -> StubResponse {
    status(200, body)
}

pub(super) fn status(status: u16, body: &str) -> StubResponse {
    let length = body.len();
    let head = format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    StubResponse::Raw([head.as_bytes(), body.as_bytes()].concat())
}

pub(super) fn redirect(to: &str) -> StubResponse {
    status(302, "").with(&format!("Location: {to}"))
}

impl StubResponse {
    pub(super) fn with(self, header: &str) -> Self {
        let Self::Raw(bytes) = self else { panic!("no headers") };
        let text = String::from_utf8(bytes).unwrap();
        Self::Raw(text.replacen("\r\n", &format!("\r\n{header}\r\n"), 1).into_bytes())
    }

    /// The connection ends before the body does.
    pub(super) fn cut_short(self) -> Self {
        let Self::Raw(mut bytes) = self else { panic!("no body") };
        bytes.truncate(bytes.len() - 1);
        Self::Raw(bytes)
    }
}

pub(super) struct Stub {
    pub(super) port: u16,
    /// `127.0.0.1:PORT`
    pub(super) host: String,
    requests: Arc<Mutex<Vec<String>>>,
    arrived: Receiver<()>,
    closed: Receiver<()>,
}

impl Stub {
    pub(super) fn start<const N: usize>(answers: [StubResponse; N]) -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").unwrap(), answers)
    }

    pub(super) fn on<const N: usize>(listener: TcpListener, answers: [StubResponse; N]) -> Self {
        let at = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (arriving, arrived) = channel();
        let (closing, closed) = channel();
        let seen = requests.clone();
        thread::spawn(move || {
            for (number, connection) in listener.incoming().enumerate() {
                let mut connection = connection.unwrap();
                seen.lock().unwrap().push(read_request(&mut connection));
                let _ = arriving.send(());
                answer(connection, &answers[number.min(N - 1)], &closing);
            }
        });
        Self { port: at.port(), host: at.to_string(), requests, arrived, closed }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.host)
    }

    pub(super) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    pub(super) fn has_a_request(&self) -> bool {
        self.arrived.try_recv().is_ok()
    }

    pub(super) fn was_closed_within(&self, time: Duration) -> bool {
        self.closed.recv_timeout(time).is_ok()
    }
}

fn answer(mut connection: TcpStream, answer: &StubResponse, closing: &Sender<()>) {
    match answer {
        // the client may have closed already: it stops at a body that is too long
        StubResponse::Raw(bytes) => drop(connection.write_all(bytes)),
        StubResponse::Drop => {}
        StubResponse::Hang => {
            let _ = connection.read_to_end(&mut Vec::new());
            let _ = closing.send(());
        }
    }
}

/// The head and the body.
fn read_request(connection: &mut TcpStream) -> String {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && connection.read(&mut byte).unwrap_or(0) == 1 {
        head.extend(byte);
    }
    let head = String::from_utf8(head).unwrap();
    let length = head.lines().find_map(|it| it.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    connection.read_exact(&mut body).unwrap();
    head + str::from_utf8(&body).unwrap()
}

//! A web service of a few lines, on a real socket: it gives the answers that a test hands it, the last one for ever.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

#[derive(Clone)]
pub(crate) enum StubResponse {
    Raw(Vec<u8>),
    /// Closes the connection without a word.
    Drop,
    /// Says nothing until the other side closes.
    Hang,
}

impl StubResponse {
    pub(crate) fn json(body: &str) -> Self {
        Self::status(200, body)
    }

    pub(crate) fn status(status: u16, body: &str) -> Self {
        let length = body.len();
        let head =
            format!("HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n");
        Self::Raw(format!("{head}Connection: close\r\n\r\n{body}").into_bytes())
    }

    pub(crate) fn with(self, header: &str) -> Self {
        let Self::Raw(bytes) = self else { panic!("no headers") };
        let text = String::from_utf8(bytes).unwrap();
        Self::Raw(text.replacen("\r\n", &format!("\r\n{header}\r\n"), 1).into_bytes())
    }

    /// The connection ends before the body does.
    pub(crate) fn cut_short(self) -> Self {
        let Self::Raw(mut bytes) = self else { panic!("no body") };
        bytes.truncate(bytes.len() - 10);
        Self::Raw(bytes)
    }
}

pub(crate) struct Stub {
    pub(crate) url: String,
    requests: Arc<Mutex<Vec<String>>>,
    arrived: Receiver<()>,
    closed: Receiver<()>,
}

impl Stub {
    pub(crate) fn start<const N: usize>(answers: [StubResponse; N]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (arriving, arrived) = channel();
        let (closing, closed) = channel();
        let seen = requests.clone();
        thread::spawn(move || {
            for (number, connection) in listener.incoming().enumerate() {
                let mut connection = connection.unwrap();
                let request = read_request(&mut connection);
                seen.lock().unwrap().push(request);
                let _ = arriving.send(());
                answer(connection, &answers[number.min(N - 1)], &closing);
            }
        });
        Self { url, requests, arrived, closed }
    }

    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    pub(crate) fn wait_for_request(&self) {
        self.arrived.recv_timeout(Duration::from_secs(30)).unwrap();
    }

    pub(crate) fn was_closed_within(&self, time: Duration) -> bool {
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

fn read_request(connection: &mut TcpStream) -> String {
    let mut request = Vec::new();
    let mut byte = [0];
    while !request.ends_with(b"\r\n\r\n") && connection.read(&mut byte).unwrap_or(0) == 1 {
        request.extend(byte);
    }
    String::from_utf8(request).unwrap()
}

//! A web service for the tests of a server that asks one.
//!
//! Answers -> a socket on loopback that gives them in turn, the last one for ever. Invariant: what a client sees are the bytes of
//! an answer and the end of the connection, nothing else.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// What the service does with one request.
#[derive(Debug, Clone)]
pub enum WebAnswer {
    /// Sends these bytes, head and body.
    Raw(Vec<u8>),
    /// Closes the connection without a word.
    Drop,
    /// Says nothing until the other side closes.
    Hang,
}

impl WebAnswer {
    /// Status 200 and a body of JSON.
    #[must_use]
    pub fn json(body: &str) -> Self {
        Self::status(200, body)
    }

    /// Another status, and a body of JSON.
    #[must_use]
    pub fn status(status: u16, body: &str) -> Self {
        let length = body.len();
        let head =
            format!("HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n");
        Self::Raw(format!("{head}Connection: close\r\n\r\n{body}").into_bytes())
    }

    /// Status 302 to this URL.
    #[must_use]
    pub fn redirect(to: &str) -> Self {
        Self::status(302, "").with(&format!("Location: {to}"))
    }

    /// One more header, as `Cache-Control: max-age=0`.
    ///
    /// # Panics
    /// It is an answer without headers.
    #[must_use]
    pub fn with(self, header: &str) -> Self {
        let Self::Raw(bytes) = self else { panic!("no headers: {self:?}") };
        let text = String::from_utf8(bytes).expect("an answer in UTF-8");
        Self::Raw(text.replacen("\r\n", &format!("\r\n{header}\r\n"), 1).into_bytes())
    }

    /// The connection ends one byte before the body does.
    ///
    /// # Panics
    /// It is an answer without a body.
    #[must_use]
    pub fn cut_short(self) -> Self {
        let Self::Raw(mut bytes) = self else { panic!("no body: {self:?}") };
        bytes.pop();
        Self::Raw(bytes)
    }
}

/// The service. A server reaches it where `MCP_ALLOW_PRIVATE` names `127.0.0.1`.
///
/// ```
/// use std::io::{Read, Write};
/// use std::net::TcpStream;
///
/// use drydock_kit::testing::{WebAnswer, WebService};
///
/// let service = WebService::start([WebAnswer::json(r#"{"n": 7}"#)]);
/// let mut connection = TcpStream::connect(service.address()).unwrap();
/// connection.write_all(b"GET /n HTTP/1.1\r\n\r\n").unwrap();
/// let mut answer = String::new();
/// connection.read_to_string(&mut answer).unwrap();
/// assert!(answer.ends_with(r#"{"n": 7}"#));
/// assert_eq!(service.requests(), ["GET /n HTTP/1.1\r\n\r\n"]);
/// ```
#[derive(Debug)]
pub struct WebService {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
    arrived: Receiver<()>,
    closed: Receiver<()>,
}

impl WebService {
    /// On a free port of 127.0.0.1.
    ///
    /// # Panics
    /// There is none.
    #[must_use]
    pub fn start<const N: usize>(answers: [WebAnswer; N]) -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").expect("a free port"), answers)
    }

    /// On a socket that listens already.
    ///
    /// # Panics
    /// It has no address.
    #[must_use]
    pub fn on<const N: usize>(listener: TcpListener, answers: [WebAnswer; N]) -> Self {
        let address = listener.local_addr().expect("an address");
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (arriving, arrived) = channel();
        let (closing, closed) = channel();
        let seen = requests.clone();
        thread::spawn(move || {
            for (number, connection) in listener.incoming().enumerate() {
                let mut connection = connection.expect("a connection");
                let request = read_request(&mut connection);
                seen.lock().unwrap_or_else(PoisonError::into_inner).push(request);
                let _ = arriving.send(());
                answer(connection, &answers[number.min(N - 1)], &closing);
            }
        });
        Self { address, requests, arrived, closed }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://127.0.0.1:PORT`
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// All requests so far, head and body.
    #[must_use]
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether one more request comes in that time, or has come since it was asked last.
    #[must_use]
    pub fn has_a_request_within(&self, time: Duration) -> bool {
        self.arrived.recv_timeout(time).is_ok()
    }

    /// Whether a client gives up an answer that hangs.
    #[must_use]
    pub fn was_closed_within(&self, time: Duration) -> bool {
        self.closed.recv_timeout(time).is_ok()
    }
}

fn answer(mut connection: TcpStream, answer: &WebAnswer, closing: &Sender<()>) {
    match answer {
        // The client may have closed already: it stops at a body that is too long.
        WebAnswer::Raw(bytes) => drop(connection.write_all(bytes)),
        WebAnswer::Drop => {}
        WebAnswer::Hang => {
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
    let head = String::from_utf8_lossy(&request).to_lowercase();
    let length = head.lines().find_map(|it| it.strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    connection.read_exact(&mut body).expect("a body as long as it says");
    request.extend(body);
    String::from_utf8_lossy(&request).into_owned()
}

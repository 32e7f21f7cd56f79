//! What is asked of a service by POST: once, and never said to have failed where it was accepted.

use std::io::{Read, Write};

use super::*;

#[tokio::test]
async fn a_post_is_sent_once() {
    let stub = WebService::start([
        WebAnswer::json("1"),
        WebAnswer::status(500, ""),
        WebAnswer::redirect("/x"),
        WebAnswer::Drop,
    ]);
    let client = service(&stub).cache_for(Duration::from_secs(60));
    let post = || client.post("/items", &json!({"name": "x"}));
    assert_eq!(post().json::<u8>().await.unwrap(), 1);
    let request = stub.requests().remove(0);
    assert!(
        request.starts_with("POST /items ") && request.ends_with("\r\n\r\n{\"name\":\"x\"}"),
        "{request}"
    );
    assert!(request.contains("content-type: application/json"), "{request}");
    for part in ["HTTP 500", "HTTP 302 Found", "could not be reached"] {
        let said = error(post()).await.to_string();
        assert!(said.contains(part), "{said}");
        assert_eq!(said.ends_with("may have been done all the same"), part != "HTTP 302 Found", "{said}");
    }
    assert_eq!(stub.requests().len(), 4);
    let nobody = HttpClient {
        service: Some(Service { name: "N".into(), base: "http://127.0.0.1:9".into() }),
        ..service(&stub)
    };
    let said = error(nobody.post("/", &1)).await.to_string();
    assert!(said.contains("refused") && said.ends_with("tried 3 times, a later call may succeed"), "{said}");
}

#[tokio::test]
async fn a_post_that_was_accepted_is_never_said_to_have_failed() {
    let not_text = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n\xff".to_vec();
    for (answer, part) in [
        (WebAnswer::status(201, "{\"n\": 1}").cut_short(), "broke off: "),
        (WebAnswer::status(201, &"1".repeat(3000)), "sent more than 2000 bytes"),
        (WebAnswer::Raw(not_text), "sent bytes that are no text"),
        (WebAnswer::status(202, "<html>"), "begins with `<html>`"),
        (WebAnswer::status(204, ""), "sent an unusable answer: "),
        (WebAnswer::json("{\"n\": 256}"), "`n`: invalid value"),
    ] {
        let stub = WebService::start([answer]);
        let client = service(&stub).max_bytes(2000);
        let failed = client.post("/", &1).json::<Answer>().await.unwrap_err();
        accepted(&failed, part);
        assert_eq!(stub.requests().len(), 1, "{failed}");
    }
}

/// It says so, and that the same must not simply be asked again.
fn accepted(failed: &HttpError, part: &str) {
    let said = failed.to_string();
    let status = failed.status().unwrap_or_default();
    let accepted = format!("; it had answered HTTP {status}, so what was asked may have been done");
    assert!(said.contains(part) && said.ends_with(&accepted), "{part} in {said}");
    assert!((200..300).contains(&status) && !failed.is_transient(), "{said}");
}

#[tokio::test]
async fn a_post_that_was_accepted_and_then_is_late_is_not_said_to_have_failed_either() {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", socket.local_addr().unwrap());
    std::thread::spawn(move || {
        let (mut connection, _) = socket.accept().unwrap();
        let _ = connection.read(&mut [0; 4096]); // what comes before the request is no answer to it
        connection.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n").unwrap();
        let _ = connection.read_to_end(&mut Vec::new());
    });
    let service = HttpClient {
        service: Some(Service { name: "Example".into(), base }),
        ..client("127.0.0.1").timeout(Duration::from_secs(2))
    };
    accepted(&error(service.post("/", &1)).await, "did not answer within 2 s");
}

//! A client and web services on the loopback, which these tests allow; the services are good, bad and hostile.

mod post;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use crate::testing::{WebAnswer, WebService};
use serde::Deserialize;
use serde_json::{Value, json};

use super::*;

/// A name and the addresses that somebody's name server has for it, one after the other.
fn look_up(name: String) -> Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>> {
    static ASKED: AtomicUsize = AtomicUsize::new(0);
    let addresses: &[&str] = match name.as_str() {
        "rebinds.example" if ASKED.fetch_add(1, Ordering::SeqCst) == 0 => &["127.0.0.1:0"],
        "rebinds.example" => &["127.0.0.2:0"],
        "both.example" => &["10.0.0.1:0", "[::ffff:169.254.169.254]:0", "127.0.0.1:0"],
        "metadata.example" => &["169.254.169.254:0", "[fd00:ec2::254]:0"],
        _ => &["127.0.0.1:0"],
    };
    let addresses = addresses.iter().map(|it| it.parse().unwrap()).collect();
    Box::pin(async move { Ok(addresses) })
}

fn client(allowed: &str) -> HttpClient {
    HttpClient::with(None, Connections::new(AddressRules::allowing(allowed), look_up))
}

fn service(stub: &WebService) -> HttpClient {
    let service = Service { name: "Example".into(), base: stub.url() };
    HttpClient::with(Some(service), Connections::new(AddressRules::allowing("127.0.0.1"), look_up))
}

/// What a request ends with that must fail.
async fn error(request: Request<'_>) -> HttpError {
    request.json::<Value>().await.unwrap_err()
}

#[derive(Debug, PartialEq, Deserialize)]
struct Answer {
    n: u8,
}

#[tokio::test]
async fn json_becomes_a_value_in_one_line() {
    let stub = WebService::start([WebAnswer::json(r#"{"n": 7}"#)]);
    let client = service(&stub).header("X-Api-Key", "s3cret");
    let request = client.get("/users").segment("a/../b?c").query("name", "x&y=ü").query("n", 2);
    assert_eq!(request.json::<Answer>().await.unwrap(), Answer { n: 7 });
    let request = stub.requests().remove(0);
    assert!(
        request.starts_with("GET /users/a%2F..%2Fb%3Fc?name=x%26y%3D%C3%BC&n=2 HTTP/1.1\r\n"),
        "{request}"
    );
    for header in ["x-api-key: s3cret", "user-agent: drydock-kit/"] {
        assert!(request.contains(header), "{header} in {request}");
    }
    assert_eq!(client.get("/text").text().await.unwrap(), r#"{"n": 7}"#);
    assert!(!format!("{client:?}").contains("s3cret"));
}

#[tokio::test]
async fn no_path_leads_to_another_host() {
    let stub = WebService::start([WebAnswer::json("1")]);
    for path in ["@evil.example/", ".evil.example/", "x", "//evil.example/", ":99/", "\\\\evil.example/"] {
        assert_eq!(service(&stub).get(path).json::<u8>().await.unwrap(), 1, "{path}");
    }
    assert_eq!(stub.requests().len(), 6);
}

#[tokio::test]
async fn a_segment_stays_one() {
    let stub = WebService::start([WebAnswer::json("1")]);
    let client = service(&stub);
    let ask = |segment| client.get("/users").segment(segment).segment("mail");
    assert_eq!(client.get("/users").segment("a/../b?c#d%").json::<u8>().await.unwrap(), 1);
    assert!(stub.requests()[0].starts_with("GET /users/a%2F..%2Fb%3Fc%23d%25 "), "{:?}", stub.requests());
    for segment in ["", ".", "..", ".\t.", "\n", "a\rb"] {
        let said = error(ask(segment)).await.to_string();
        assert!(said.contains("cannot be asked: a part of its path"), "{segment:?}: {said}");
    }
    assert_eq!(stub.requests().len(), 1);
}

#[tokio::test]
async fn what_was_kept_for_another_reader_is_asked_for_again() {
    let stub = WebService::start([WebAnswer::json("\"text\""), WebAnswer::json("2")]);
    let client = service(&stub).cache_for(Duration::from_secs(60));
    client.get("/").text().await.unwrap();
    assert_eq!(client.get("/").json::<u8>().await.unwrap(), 2);
    assert_eq!(client.get("/").json::<u8>().await.unwrap(), 2);
    assert_eq!(stub.requests().len(), 2);
}

#[tokio::test]
async fn a_private_address_is_not_asked() {
    let stub = WebService::start([WebAnswer::json("1")]);
    let other = client("127.0.0.2, 10.0.0.0/8");
    for (url, kind) in [
        (stub.url(), "loopback"),
        (format!("http://127.1:{}/", stub.address().port()), "loopback"),
        (format!("http://[::ffff:127.0.0.1]:{}/", stub.address().port()), "loopback"),
        (format!("http://localhost:{}/", stub.address().port()), "loopback"),
        (format!("http://a.example:{}/", stub.address().port()), "loopback"),
        ("http://metadata.example/latest".into(), "link-local"),
        ("https://169.254.169.254/latest".into(), "link-local"),
    ] {
        let failed = error(other.get(&url)).await;
        let said = failed.to_string();
        assert!(
            said.contains(&format!("has a {kind} address")) && said.contains("MCP_ALLOW_PRIVATE"),
            "{said}"
        );
        assert!(!failed.is_transient() && !said.contains("latest"), "{said}");
    }
    assert_eq!(stub.requests(), [""; 0], "not even a connection");
    assert_eq!(client("127.0.0.1").get(stub.url()).json::<u8>().await.unwrap(), 1);
}

#[tokio::test]
async fn a_name_that_leads_elsewhere_the_second_time_is_not_followed() {
    let stub = WebService::start([WebAnswer::json("1")]);
    let client = client("127.0.0.1");
    let url = format!("http://rebinds.example:{}/", stub.address().port());
    assert_eq!(client.get(&url).json::<u8>().await.unwrap(), 1);
    assert!(error(client.get(&url)).await.to_string().contains("has a loopback address"));
}

#[tokio::test]
async fn of_several_addresses_only_the_good_ones_are_tried() {
    let stub = WebService::start([WebAnswer::json("1")]);
    let url = format!("http://both.example:{}/", stub.address().port());
    assert_eq!(client("127.0.0.1").get(url).json::<u8>().await.unwrap(), 1);
}

#[tokio::test]
async fn a_redirect_leads_to_no_private_address() {
    let inside = WebService::on(TcpListener::bind("127.0.0.2:0").unwrap(), [WebAnswer::json("1")]);
    for target in [
        inside.url(),
        format!("//{}/x", inside.address()),
        format!("http://[::ffff:127.0.0.2]:{}/", inside.address().port()),
        format!("http://2130706434:{}/", inside.address().port()),
        "http://metadata.example/".into(),
        "http://169.254.169.254/latest".into(),
        "http://[::1]/".into(),
        "http://10.0.0.1/".into(),
    ] {
        let stub = WebService::start([WebAnswer::redirect(&target)]);
        let said = error(client("127.0.0.1").get(stub.url())).await.to_string();
        assert!(said.starts_with(&format!("{} redirects to ", stub.address())), "{said}");
        assert!(
            said.contains(" address, which this server may not reach") && !said.contains("latest"),
            "{said}"
        );
        assert_eq!(stub.requests().len(), 1);
    }
    assert_eq!(inside.requests(), [""; 0]);
}

#[tokio::test]
async fn a_redirect_is_followed_with_headers_at_home_alone() {
    let stub = WebService::start([
        WebAnswer::redirect("/there"),
        WebAnswer::redirect("/and/there?x=1"),
        WebAnswer::json("1"),
    ]);
    let client = service(&stub).header("Authorization", "Bearer s3cret");
    assert_eq!(client.get("/here").json::<u8>().await.unwrap(), 1);
    let requests = stub.requests();
    assert!(requests[2].starts_with("GET /and/there?x=1 "), "{requests:?}");
    assert!(requests.iter().all(|it| it.contains("s3cret")), "{requests:?}");
}

#[tokio::test]
async fn what_leaves_home_leaves_keys_and_passwords_there_for_good() {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let back = format!("http://{}/back", socket.local_addr().unwrap());
    let away = WebService::start([WebAnswer::redirect(&back)]);
    let home =
        WebService::on(socket, [WebAnswer::redirect(&format!("{}/away", away.url())), WebAnswer::json("1")]);
    let client = client("127.0.0.1").header("X-Api-Key", "s3cret");
    assert_eq!(client.get(home.url().replace("//", "//me:p4ss@")).json::<u8>().await.unwrap(), 1);
    let has_secrets =
        |it: &String| (it.contains("s3cret"), it.to_lowercase().contains("authorization: basic"));
    let at_home: Vec<_> = home.requests().iter().map(has_secrets).collect();
    assert_eq!(at_home, [(true, true), (false, false)], "{:?}", home.requests());
    assert_eq!(has_secrets(&away.requests()[0]), (false, false), "{:?}", away.requests());
}

#[tokio::test]
async fn redirects_come_to_an_end() {
    let stub = WebService::start([WebAnswer::redirect("/again")]);
    let said = error(service(&stub).get("/")).await.to_string();
    assert!(said.contains("redirected more than 5 times"), "{said}");
    assert_eq!(stub.requests().len(), 6);
    for (target, why) in [("file:///etc/passwd", "neither http nor https"), ("http://[", "to no URL")] {
        let stub = WebService::start([WebAnswer::redirect(target)]);
        let said = error(service(&stub).get("/")).await.to_string();
        assert!(said.contains(why) && said.contains("HTTP 302"), "{said}");
    }
}

#[tokio::test]
async fn a_bad_response_is_an_error_that_says_what_is_bad() {
    let not_text = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n\xff\xfe\xfd".to_vec();
    let long = "x".repeat(1000);
    for (answer, part, tries, is_transient) in [
        (WebAnswer::json(&"1".repeat(3000)), "sent more than 2000 bytes", 1, false),
        (WebAnswer::json("{\"n\": 1}").cut_short(), "broke off: ", 3, true),
        (WebAnswer::Raw(not_text), "sent bytes that are no text", 1, false),
        (WebAnswer::Raw(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec()), "could not be reached", 3, true),
        (WebAnswer::Drop, "could not be reached", 3, true),
        (
            WebAnswer::json(&format!("<html>captive portal{long}")),
            "begins with `<html>captive portal",
            1,
            false,
        ),
        (WebAnswer::json("{\"n\": 256}"), "`n`: invalid value", 1, false),
        (WebAnswer::json("{\"n\": 1} x"), "trailing characters", 1, false),
        (
            WebAnswer::status(404, "{\"message\": \"no\\nsuch user\"}"),
            "refused with HTTP 404 Not Found: no such user",
            1,
            false,
        ),
        (
            WebAnswer::status(401, &json!({"error": {"message": format!("no key{long}")}}).to_string()),
            "HTTP 401 Unauthorized: no key",
            1,
            false,
        ),
        (WebAnswer::status(500, "<html>"), "answered HTTP 500 Internal Server Error; tried 3 times", 3, true),
        (WebAnswer::status(404, &"x".repeat(3000)), "answered HTTP 404 Not Found", 1, false),
        (
            WebAnswer::status(429, "").with("Retry-After: 30"),
            "Too Many Requests; try again after 30 s",
            1,
            true,
        ),
        (WebAnswer::status(503, "").with("Retry-After: 30"), "Unavailable; try again after 30 s", 1, true),
    ] {
        let stub = WebService::start([answer]);
        let client = service(&stub).max_bytes(2000).cache_for(Duration::from_secs(60));
        let failed = client.get("/").json::<Answer>().await.unwrap_err();
        let said = failed.to_string();
        assert!(
            said.starts_with(&format!("Example ({}) ", stub.address())) && said.contains(part),
            "{part} in {said}"
        );
        assert!(said.len() < 400, "{said}");
        assert_eq!((stub.requests().len(), failed.is_transient()), (tries, is_transient), "{said}");
        let status = said.split_once("HTTP ").and_then(|(_, it)| it[..3].parse().ok());
        assert_eq!(failed.status(), status, "{said}");
    }
}

#[tokio::test]
async fn a_passing_failure_passes() {
    let stub = WebService::start([
        WebAnswer::status(503, "").with("Retry-After: 1"),
        WebAnswer::Drop,
        WebAnswer::json("1"),
    ]);
    let begin = Instant::now();
    assert_eq!(service(&stub).get("/").json::<u8>().await.unwrap(), 1);
    assert_eq!(stub.requests().len(), 3);
    assert!(begin.elapsed() >= Duration::from_secs(2), "it waits for as long as it is asked to");
}

#[tokio::test]
async fn what_is_slow_is_given_up() {
    let stub = WebService::start([WebAnswer::Hang]);
    let failed = error(service(&stub).timeout(Duration::from_millis(300)).get("/")).await;
    let said = failed.to_string();
    assert!(said.contains("did not answer within 0.3 s; a later call may succeed"), "{said}");
    assert!(is_closed(stub).await, "the connection is still open");
}

/// Elsewhere, as the connection's own task needs this thread.
async fn is_closed(stub: WebService) -> bool {
    let waiting = tokio::task::spawn_blocking(move || stub.was_closed_within(Duration::from_secs(10)));
    waiting.await.unwrap()
}

#[tokio::test]
async fn a_call_that_is_dropped_closes_its_connection() {
    let stub = WebService::start([WebAnswer::Hang]);
    let client = service(&stub);
    let request = client.get("/").text();
    let arrived = async {
        while !stub.has_a_request_within(Duration::ZERO) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::select! {
        text = request => panic!("{text:?}"),
        () = arrived => {}
    }
    assert!(is_closed(stub).await, "the connection is still open");
}

#[tokio::test]
async fn only_what_could_be_read_is_kept() {
    let stub = WebService::start([WebAnswer::json("bad"), WebAnswer::json("1"), WebAnswer::json("2")]);
    let client = service(&stub).cache_for(Duration::from_secs(60));
    assert!(client.get("/").json::<u8>().await.is_err());
    let check = |it: &u8| if *it == 2 { Ok(()) } else { Err("not 2".to_owned()) };
    let said = client.get("/").checked_json(check).await.unwrap_err().to_string();
    assert!(said.ends_with("sent an unusable answer: not 2"), "{said}");
    for _ in 0..2 {
        assert_eq!(client.get("/").checked_json(check).await.unwrap(), 2);
    }
    assert_eq!(stub.requests().len(), 3);
    assert_eq!(client.get("/other").json::<u8>().await.unwrap(), 2);
    assert_eq!(stub.requests().len(), 4);
}

#[tokio::test]
async fn how_long_a_response_is_kept_is_the_services_to_say() {
    for (lifetime, asked) in [(0, 2), (u64::MAX, 1)] {
        let answer = WebAnswer::json("1").with(&format!("Cache-Control: public, max-age={lifetime}"));
        let stub = WebService::start([answer]);
        let client = service(&stub).cache_for(Duration::from_secs(if lifetime == 0 { 60 } else { 0 }));
        for _ in 0..2 {
            client.get("/").json::<u8>().await.unwrap();
        }
        assert_eq!(stub.requests().len(), asked, "{lifetime}");
    }
}

#[tokio::test]
async fn unless_told_otherwise_a_mebibyte_is_read_and_no_more() {
    for (bytes, is_read) in [(1 << 20, true), ((1 << 20) + 1, false)] {
        let stub = WebService::start([WebAnswer::json(&"x".repeat(bytes))]);
        assert_eq!(service(&stub).get("/").text().await.is_ok(), is_read, "{bytes}");
    }
}

#[tokio::test]
async fn no_secret_of_a_request_is_in_a_message() {
    let stub = WebService::start([WebAnswer::Drop]);
    let base = format!("http://me:s3cret@{}/s3cret", stub.address());
    let named = HttpClient::with(
        Some(Service { name: "Example".into(), base: base.clone() }),
        Connections::new(AddressRules::allowing("127.0.0.1"), look_up),
    );
    let damaged = Service { name: "Example".into(), base: "https://me:s3cret/pa#s3cret@api.example".into() };
    let damaged = HttpClient::with(Some(damaged), Connections::new(AddressRules::allowing(""), look_up));
    let key = "s3cret\nx";
    let open = || client("127.0.0.1");
    for failed in [
        error(named.get("/x?key=s3cret").query("key", key)).await,
        error(open().get(format!("{base}?key=s3cret"))).await,
        error(damaged.get("/x")).await,
        error(open().get("s3cret")).await,
        error(open().get("ftp://s3cret@example.com/s3cret")).await,
        error(open().get("http://me:s3cret@[/s3cret")).await,
        error(open().header("X-Key", key).get("http://a.example/")).await,
        error(open().header(key, "x").get("http://a.example/")).await,
    ] {
        assert!(
            !failed.to_string().contains("s3cret") && !format!("{failed:?}").contains("s3cret"),
            "{failed:?}"
        );
    }
    assert_eq!(open().label(&Err(String::new())), "the URL");
}

#[test]
fn an_error_is_what_a_tool_returns() {
    use rmcp::handler::server::tool::IntoCallToolResult;
    use rmcp::model::CallToolResponse;

    let failed = || HttpError::new("Example".into(), Failure::new("broke off", Retry::Soon), 3);
    let text = String::from(failed());
    assert_eq!(text, "Example broke off; tried 3 times, a later call may succeed");
    let result = Err::<String, _>(failed()).into_call_tool_result();
    let Ok(CallToolResponse::Complete(result)) = result else { panic!("{result:?}") };
    assert_eq!((result.is_error, &result.content[0].as_text().unwrap().text), (Some(true), &text));
}

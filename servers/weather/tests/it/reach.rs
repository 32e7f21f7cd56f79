//! Which addresses the server reaches: none that is private, unless whoever runs it says so, and a proxy in any case.

use tokio::io::AsyncReadExt;

use super::*;

const CURRENT: &str = include_str!("current.json");

#[tokio::test]
async fn a_private_address_needs_the_persons_word() {
    for allowed in [&[][..], &[("MCP_ALLOW_PRIVATE", "127.0.0.2,10.0.0.0/8")]] {
        let stub = WebService::start([WebAnswer::json(CURRENT)]);
        let client = start_with(&[&[("OPEN_METEO_URL", stub.url().as_str())], allowed].concat()).await;
        let result = call(&client, "get_current_weather", berlin()).await;
        let said = "has a loopback address, which this server may not reach; whoever runs it can allow that address \
                    with MCP_ALLOW_PRIVATE";
        assert!(
            error(&result).starts_with("Open-Meteo (127.0.0.1:") && text(&result).ends_with(said),
            "{result:?}"
        );
        assert_eq!(stub.requests(), [""; 0]);
    }
}

#[tokio::test]
async fn a_proxy_is_used_wherever_it_is_and_not_for_a_private_address() {
    let proxy = WebService::start([WebAnswer::json(CURRENT)]);
    let address = proxy.url().replace("127.0.0.1", "localhost");
    for (url, is_asked) in [
        ("http://open-meteo.example", true),
        ("http://169.254.169.254", false),
        ("http://10.0.0.1:8080", false),
        ("http://localhost:8080", false),
    ] {
        let client = start_with(&[("HTTP_PROXY", &address), ("OPEN_METEO_URL", url)]).await;
        let before = proxy.requests().len();
        let result = call(&client, "get_current_weather", berlin()).await;
        assert_eq!(result.is_error, Some(!is_asked), "{url}: {result:?}");
        assert_eq!(proxy.requests().len() - before, usize::from(is_asked), "{url}");
    }
    assert!(proxy.requests()[0].starts_with("GET http://open-meteo.example/v1/forecast?"));
    let excepted =
        [("HTTP_PROXY", address.as_str()), ("OPEN_METEO_URL", &address), ("NO_PROXY", "localhost")];
    let result = call(&start_with(&excepted).await, "get_current_weather", berlin()).await;
    assert!(error(&result).contains("has a loopback address"), "the proxy is no way to itself: {result:?}");
}

#[tokio::test]
async fn a_list_that_is_none_is_told_at_the_start() {
    for (variables, arguments) in
        [(&[("MCP_ALLOW_PRIVATE", "localhost")][..], &[][..]), (&[], &["--allow-private", "localhost"])]
    {
        let ended = weather(variables).args(arguments).output().await.unwrap();
        let said = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(ended.status.code(), Some(2), "{said}");
        assert!(
            said.starts_with("error: MCP_ALLOW_PRIVATE: `localhost` is not addresses and networks"),
            "{said}"
        );
        assert!(said.contains("--allow-private  LIST"), "{said}");
    }
}

#[tokio::test]
async fn a_password_in_the_services_url_is_in_no_log() {
    let stub = WebService::start([WebAnswer::status(503, r#"{"reason": "no s3cret"}"#)]);
    let url = stub.url().replace("//", "//me:s3cret@") + "/s3cret";
    let variables =
        [("OPEN_METEO_URL", url.as_str()), ("MCP_ALLOW_PRIVATE", "127.0.0.1"), ("MCP_LOG", "debug")];
    let process = TokioChildProcess::builder(weather(&variables)).stderr(Stdio::piped());
    let (process, stderr) = process.spawn().unwrap();
    let client: Client = ().serve(process).await.unwrap();
    let result = call(&client, "get_current_weather", berlin()).await;
    assert!(text(&result).contains("no s3cret; tried 3 times"), "{result:?}");
    client.cancel().await.unwrap();
    let mut log = String::new();
    stderr.unwrap().read_to_string(&mut log).await.unwrap();
    assert_eq!(
        log.matches("Open-Meteo refused with HTTP 503 Service Unavailable, trying again").count(),
        2,
        "{log}"
    );
    assert!(!log.contains("s3cret") && !log.contains("forecast?"), "{log}");
}

//! Proxies: docker's own settings reach containers, and the shell's the builds; no password of one stays anywhere.

use std::fs;
use std::io::{self, Read, Write};
use std::net::{IpAddr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use drydock_tests::engine::Engine;
use drydock_tests::process::{BUILD_TIMEOUT, run_with};
use drydock_tests::test_env::{TestEnv, copy_workspace};
use drydock_tests::weather::{self, IMAGE};
use drydock_tests::wrapped::{self, Kind};
use drydock_tests::{engine_or_skip, skip};
use serde_json::{Value, json};

use crate::images::inspect;
use crate::own;

const PROXY: &str = "http://ana:s3cret@192.0.2.1:3128"; // an address that nobody has

#[test]
fn a_container_gets_dockers_proxies_when_they_change() {
    let engine = engine_or_skip!();
    if engine.program() != "docker" {
        skip!("they are Docker's own settings");
    }
    let env = weather::test_env(&engine, "proxies");
    let container = env.container("weather");
    let settings = env.home().join(".docker/config.json");
    fs::create_dir_all(settings.parent().unwrap()).expect("a folder");
    let put = |value: Value| fs::write(&settings, value.to_string()).expect("docker's settings");
    let look = || {
        let it = engine.inspect(&container);
        let env = it["Config"]["Env"].as_array().expect("variables");
        let proxy = env.iter().filter_map(Value::as_str).find_map(|it| it.strip_prefix("HTTP_PROXY="));
        (it["Id"].clone(), proxy.map(str::to_owned))
    };
    put(json!({}));
    env.ok(&["up", "weather"]);
    let (first, none) = look();
    assert_eq!(none, None);

    put(json!({"proxies": {"default": {"httpProxy": PROXY, "noProxy": "localhost"}}}));
    let doctor = env.run(&["doctor"]);
    assert!(doctor.stdout.contains("other proxies than the engine gives now"), "{doctor}");
    let up = env.ok(&["up", "weather"]);
    assert!(up.stderr.contains("has other proxies"), "{up}");
    let (second, proxy) = look();
    assert_ne!(first, second);
    assert_eq!(proxy.as_deref(), Some(PROXY));
    let again = env.ok(&["up", "weather"]);
    assert!(again.stderr.contains("already up"), "{again}");
    assert_eq!(look().0, second);
    for told in [&doctor, &up, &env.run(&["doctor"])] {
        assert!(!format!("{told}").contains("s3cret"), "{told}");
    }

    put(json!({}));
    env.ok(&["up", "weather"]);
    assert_eq!(look().1, None);
}

#[test]
fn a_password_of_the_shells_proxy_is_in_no_image() {
    let engine = engine_or_skip!();
    let env = weather::test_env(&engine, "proxy-build");
    let mut build = env.xtask(&["build-images", "weather", "--profile", "quick"]);
    let built = run_with(build.env("HTTPS_PROXY", PROXY).env("http_proxy", PROXY), &[], BUILD_TIMEOUT).ok();
    let history = engine.ok(&["history", "--no-trunc", IMAGE]);
    for text in [inspect(&engine, IMAGE).to_string(), history, built.stdout, built.stderr] {
        assert!(!text.contains("s3cret"), "{text}");
    }
}

/// A proxy on this machine, where containers reach it.
struct Proxy {
    address: SocketAddr,
    /// Who asked for which host.
    asked: Arc<Mutex<Vec<(IpAddr, String)>>>,
}

impl Proxy {
    fn start(engine: &Engine) -> Result<Self, String> {
        let format = "{{(index .IPAM.Config 0).Gateway}}";
        let gateway = engine.run(&["network", "inspect", "bridge", "--format", format]);
        let listener = TcpListener::bind((gateway.stdout.trim(), 0))
            .map_err(|err| format!("the engine's network is not this machine's: {err}"))?;
        let address = listener.local_addr().map_err(|err| err.to_string())?;
        let asked = Arc::new(Mutex::new(Vec::new()));
        let list = Arc::clone(&asked);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let list = Arc::clone(&list);
                std::thread::spawn(move || pass_on(client, &list));
            }
        });
        Ok(Self { address, asked })
    }
}

fn pass_on(mut client: TcpStream, asked: &Mutex<Vec<(IpAddr, String)>>) -> io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        client.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let text = String::from_utf8_lossy(&head);
    let mut words = text.split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let host = target.trim_start_matches("http://").split('/').next().unwrap_or_default();
    asked.lock().expect("no thread panics").push((client.peer_addr()?.ip(), host.to_owned()));
    let port = if host.contains(':') { "" } else { ":80" };
    let mut server = TcpStream::connect(format!("{host}{port}"))?;
    match method {
        "CONNECT" => client.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?,
        _ => server.write_all(&head)?,
    }
    let (mut from, mut to) = (client.try_clone()?, server.try_clone()?);
    std::thread::spawn(move || io::copy(&mut from, &mut to).and_then(|_| to.shutdown(Shutdown::Write)));
    io::copy(&mut server, &mut client)?;
    client.shutdown(Shutdown::Both)
}

#[test]
fn what_a_build_fetches_comes_through_the_shells_proxy() {
    let engine = engine_or_skip!();
    if let Err(why) = wrapped::test_env(&engine, Kind::Node, "proxied-base") {
        skip!("{why}")
    }
    let proxy = match Proxy::start(&engine) {
        Ok(proxy) => proxy,
        Err(why) => skip!("{why}"),
    };
    let folder = tempfile::tempdir().expect("a temporary folder");
    copy_workspace(folder.path(), "0.1.1-proxied");
    let env = TestEnv::on(&engine, "proxied").with_root(folder.path());
    let package = json!({
        "registryType": "npm", "identifier": "proxied", "version": "1.0.0", "transport": { "type": "stdio" },
    });
    let manifest =
        r#"{"name": "proxied", "version": "1.0.0", "bin": "server.js", "dependencies": {"ms": "2.1.3"}}"#;
    let files = [("package.json", manifest), ("server.js", "process.stdin.resume()")];
    own::add(folder.path(), "proxied", &package, &files);
    let url = format!("http://ana:s3cret@{}", proxy.address);
    let mut build = wrapped::build_in_copy(&env, "proxied");
    build.env("HTTPS_PROXY", &url).env("HTTP_PROXY", &url).env_remove("NO_PROXY").env_remove("no_proxy");
    let built = run_with(&mut build, &[], BUILD_TIMEOUT).ok();
    assert!(!format!("{}{}", built.stdout, built.stderr).contains("s3cret"), "its password is shown");
    // Cargo's own requests have this machine's address.
    let asked = proxy.asked.lock().expect("no thread panics");
    assert!(asked.iter().any(|(from, _)| *from != proxy.address.ip()), "{asked:?}: {built}");
}

/// Needs no engine's answer but its name: what reaches what is told, by names alone.
#[test]
fn doctor_says_what_the_shells_proxies_reach() {
    let engine = engine_or_skip!();
    if engine.program() != "docker" {
        skip!("podman hands them on itself");
    }
    let env = TestEnv::on(&engine, "proxy-doctor");
    let doctor = |proxy: &str| {
        let mut doctor = env.xtask(&["doctor", "--json"]);
        let set =
            doctor.env("HTTPS_PROXY", proxy).env("NO_PROXY", "localhost").env("SSL_CERT_FILE", "/x.pem");
        let rows = run_with(set, &[], BUILD_TIMEOUT).json();
        assert!(!rows.to_string().contains("s3cret"), "{rows}");
        rows
    };
    let found = |rows: &Value, check: &str| {
        let row = rows.as_array().unwrap().iter().find(|it| it["check"] == check).cloned();
        row.map(|it| format!("{} {}", it["state"], it["found"]).replace('"', "")).unwrap_or_default()
    };
    let rows = doctor(PROXY);
    let builds = found(&rows, "proxies of builds");
    assert!(builds.starts_with("ok the shell's HTTPS_PROXY, NO_PROXY"), "{builds}");
    assert!(
        found(&rows, "proxies of containers").starts_with("note none: the shell's HTTPS_PROXY"),
        "{rows}"
    );
    assert!(found(&rows, "certificates").contains("SSL_CERT_FILE"), "{rows}");
    let here = doctor("http://ana:s3cret@127.0.0.1:3128");
    assert!(found(&here, "proxies of builds").starts_with("note none: only this machine itself"), "{here}");
}

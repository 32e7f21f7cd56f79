//! Proxies: docker's own settings reach containers, and the shell's the builds; no password of one stays anywhere.

use std::fs;

use drydock_tests::process::{BUILD_TIMEOUT, run_with};
use drydock_tests::test_env::TestEnv;
use drydock_tests::weather::{self, IMAGE};
use drydock_tests::{engine_or_skip, skip};
use serde_json::{Value, json};

use crate::images::inspect;

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

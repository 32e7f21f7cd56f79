use serde_json::json;

use super::settings::read;
use super::*;

fn variables(list: &[(&str, &str)]) -> Variables {
    list.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
}

fn proxies(shell: &[(&str, &str)], engine: Option<&[(&str, &str)]>) -> Proxies {
    Proxies { shell: variables(shell), engine: engine.map(variables) }
}

const PROXY: &str = "http://ana:s3cret@proxy.example.com:3128";

#[test]
fn a_build_is_given_the_shells_proxies_where_docker_has_none_of_its_own() {
    let shell = [("HTTPS_PROXY", PROXY), ("http_proxy", PROXY), ("no_proxy", "10.0.0.0/8")];
    assert_eq!(proxies(&shell, Some(&[])).for_builds(), ["HTTPS_PROXY", "http_proxy", "no_proxy"]);
    let none = [""; 0];
    assert_eq!(proxies(&shell, Some(&[("HTTP_PROXY", "http://other:1")])).for_builds(), none);
    assert_eq!(proxies(&shell, None).for_builds(), none, "what cannot be read may hold some");
    assert_eq!(proxies(&[("NO_PROXY", "*")], Some(&[])).for_builds(), none, "there is no proxy to leave out");
}

/// In a build and in a container that is another address: what works without a proxy would fail with it.
#[test]
fn a_proxy_that_only_this_machine_reaches_is_not_handed_on() {
    for here in
        ["http://127.0.0.1:3128", "localhost:8080", "http://a:b@[::1]:1/", "socks5://127.8.0.1", "0.0.0.0:1"]
    {
        let it = proxies(&[("HTTP_PROXY", here), ("NO_PROXY", "x")], Some(&[]));
        assert_eq!((it.for_builds(), it.on_loopback()), (Vec::new(), vec!["HTTP_PROXY"]), "{here}");
    }
    for far in
        [PROXY, "10.0.0.1:3128", "http://localhost.example.com", "[fe80::1]:1", "http://127.0.0.1@far:1"]
    {
        assert!(proxies(&[("HTTP_PROXY", far)], Some(&[])).on_loopback().is_empty(), "{far}");
    }
    let mixed = [("HTTP_PROXY", "http://localhost:1"), ("HTTPS_PROXY", PROXY), ("NO_PROXY", "x")];
    assert_eq!(proxies(&mixed, Some(&[])).for_builds(), ["HTTPS_PROXY", "NO_PROXY"]);
}

#[test]
fn dockers_settings_are_read_as_docker_reads_them() {
    let read = |value: serde_json::Value, address: Option<&str>| {
        read(value.to_string().as_bytes(), || address.map(str::to_owned))
    };
    let file = json!({"auths": {}, "proxies": {
        "default": {"httpProxy": "http://a", "noProxy": "x", "httpsProxy": "", "other": 1},
        "tcp://far:2376": {"httpsProxy": "http://b"}
    }});
    let default =
        [("HTTP_PROXY", "http://a"), ("http_proxy", "http://a"), ("NO_PROXY", "x"), ("no_proxy", "x")];
    assert_eq!(read(file.clone(), Some("unix:///run/docker.sock")), Some(variables(&default)));
    let far = [("HTTPS_PROXY", "http://b"), ("https_proxy", "http://b")];
    assert_eq!(read(file.clone(), Some("tcp://far:2376")), Some(variables(&far)));
    assert_eq!(read(file, None), None, "whose settings count cannot be told");
    let only = json!({"proxies": {"default": {"httpProxy": "http://a"}}});
    assert_eq!(read(only, None), Some(variables(&default[..2])), "no need to ask");
    assert_eq!(read(json!({"auths": {}}), None), Some(Variables::new()));
    assert_eq!(super::settings::read(b"{", || None), None);
}

fn container(env: &[&str]) -> Container {
    serde_json::from_value(json!({
        "Id": "0", "Name": "/x", "Image": "sha256:0", "Created": "",
        "State": { "Status": "running", "Running": true, "ExitCode": 0, "StartedAt": "" },
        "Config": { "Image": "x", "Labels": null, "Env": env }, "HostConfig": {},
    }))
    .unwrap()
}

fn image(env: &[&str]) -> Image {
    serde_json::from_value(json!({"Id": "sha256:0", "Size": 1, "Config": {"Labels": null, "Env": env}}))
        .unwrap()
}

#[test]
fn a_container_that_has_other_proxies_than_docker_gives_today_is_told() {
    let docker = [("HTTP_PROXY", "http://a"), ("http_proxy", "http://a")];
    let holds =
        |engine: Option<&[(&str, &str)]>, found: &[&str], image_env: &[&str], given: &[(&str, &str)]| {
            let given: Vec<_> = variables(given).into_iter().collect();
            proxies(&[("HTTPS_PROXY", PROXY)], engine).hold_in(&container(found), &image(image_env), &given)
        };
    let with = ["PATH=/bin", "HTTP_PROXY=http://a", "http_proxy=http://a"];
    assert!(holds(Some(&docker), &with, &[], &[]));
    assert!(holds(Some(&[]), &["PATH=/bin"], &["PATH=/bin"], &[]), "the shell's own reach no container");
    assert!(!holds(Some(&docker), &["PATH=/bin"], &[], &[]), "set since it was made");
    assert!(!holds(Some(&[]), &with, &[], &[]), "taken out");
    assert!(!holds(Some(&docker[..1]), &with, &[], &[]));
    assert!(!holds(Some(&docker), &["HTTP_PROXY=http://b", "http_proxy=http://a"], &[], &[]), "another one");
    assert!(holds(Some(&[]), &["HTTP_PROXY=http://b"], &["HTTP_PROXY=http://b"], &[]), "its image's own");
    let own = ["HTTP_PROXY=http://own", "http_proxy=http://a"];
    assert!(holds(Some(&docker), &own, &[], &[("HTTP_PROXY", "http://own")]), "the server's own comes first");
    assert!(holds(None, &with, &[], &[]), "where nothing is known, nothing is wrong");
}

#[test]
fn no_value_is_shown() {
    let shown = format!("{:?}", proxies(&[("HTTP_PROXY", PROXY)], Some(&[("HTTP_PROXY", PROXY)])));
    assert!(shown.contains("HTTP_PROXY") && !shown.contains("s3cret"), "{shown}");
}

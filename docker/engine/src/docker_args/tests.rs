//! Golden: what the engine is told, word by word, so that a change of the sandbox is a change that somebody reads.

use std::path::PathBuf;

use super::*;
use drydock_catalog::{Kind, Network, Program, Sandbox, Volume};

fn weather() -> Server {
    Server {
        name: "weather".into(),
        dir: PathBuf::from("/clone/servers/weather"),
        kind: Kind::Rust,
        is_runtime: false,
        id: "io.github.ana/weather".into(),
        title: "Weather --privileged".into(),
        description: "-v /:/host".into(),
        version: "1.2.3+b4".into(),
        source: Some("https://example.com/weather".into()),
        variables: Vec::new(),
        program: Program::default(),
        sandbox: Sandbox { memory: 64 << 20, cpus: 0.5, pids: 32, ..Sandbox::strict() },
        sessions: 16,
        warm: 0,
        install_scripts: false,
        args: Vec::new(),
        env: Vec::new(),
        requests: Vec::new(),
        notes: Vec::new(),
    }
}

fn env(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
}

/// One flag or word a line, a flag's value beside it.
fn shown(args: &[String]) -> String {
    let mut text = String::new();
    for arg in args {
        let gap = if text.is_empty() {
            ""
        } else if arg.starts_with('-') || !after_flag(&text) {
            "\n"
        } else {
            " "
        };
        text.push_str(gap);
        text.push_str(arg);
    }
    text
}

/// Whether the last line is a flag that still waits for its value.
fn after_flag(text: &str) -> bool {
    let last = text.lines().last().unwrap_or_default();
    let alone = ["--init", "--read-only", "--rm", "-i", "--no-healthcheck", "--force-rm"];
    last.starts_with('-') && !last.contains(' ') && !alone.contains(&last)
}

#[test]
fn a_container_has_the_whole_sandbox() {
    let it = create(
        &weather(),
        "t-mcp-weather",
        "00112233aabbccdd",
        &env(&[("BASE_URL", "http://a b"), ("X", "--y")]),
    );
    let golden = format!(
        "create
--pull never
--name t-mcp-weather
--init
--read-only
--cap-drop ALL
--security-opt no-new-privileges
--user 65532:65532
--network none
--ipc private
--memory 67108864
--memory-swap 67108864
--cpus 0.5
--pids-limit 32
--ulimit nofile=1024:1024
--ulimit core=0:0
--tmpfs /run:rw,noexec,nosuid,nodev,size=1m,mode=0700,uid=65532,gid=65532
--tmpfs /tmp:rw,noexec,nosuid,nodev,size=16m,mode=1777,uid=65532,gid=65532
--tmpfs /home/mcp:rw,noexec,nosuid,nodev,size=64m,mode=0700,uid=65532,gid=65532
--log-driver json-file
--log-opt max-size=1m
--log-opt max-file=3
--workdir /home/mcp
--env HOME=/home/mcp
--restart unless-stopped
--env BASE_URL=http://a b
--env X=--y
--label dev.drydock.server=weather
--label dev.drydock.workspace=00112233aabbccdd
--label dev.drydock.settings={}
drydock/weather/00112233aabbccdd:1.2.3_b4",
        it.settings
    );
    assert_eq!(shown(&it.args), golden);
}

#[test]
fn the_internet_is_only_there_when_asked_for() {
    let mut server = weather();
    server.sandbox.network = Network::Internet;
    let args = create(&server, "mcp-weather", "id", &[]).args;
    assert!(args.windows(2).any(|it| it == ["--network", "bridge"]));
}

#[test]
fn a_runtime_image_has_its_own_volume_and_says_whose_it_is() {
    let mut server = weather();
    server.sandbox.volumes = vec![Volume { name: "cache".into(), path: "/cache".into() }];
    let text = shown(&create(&server, "t-mcp-node", "id", &[]).args);
    let line = "--mount type=volume,source=t-mcp-node-cache,target=/cache,\
                volume-label=dev.drydock.server=weather,volume-label=dev.drydock.workspace=id";
    assert!(text.lines().any(|it| it == line), "{text}");
    let run = run_stdio(&server, "id", &[]);
    assert!(!run.iter().any(|it| it.contains("cache")), "a container that goes again has no volume: {run:?}");
}

#[test]
fn the_hash_tells_every_setting_apart() {
    let hash = |server: &Server, name: &str, id: &str, set: &[(&str, &str)]| {
        create(server, name, id, &env(set)).settings
    };
    let one = hash(&weather(), "mcp-weather", "id", &[]);
    assert_eq!(one, hash(&weather(), "mcp-weather", "id", &[]));
    let mut bigger = weather();
    bigger.sandbox.memory += 1;
    let others = [
        hash(&bigger, "mcp-weather", "id", &[]),
        hash(&weather(), "t-mcp-weather", "id", &[]),
        hash(&weather(), "mcp-weather", "id2", &[]),
        hash(&weather(), "mcp-weather", "id", &[("A", "b")]),
        hash(&weather(), "mcp-weather", "id", &[("A", "c")]),
    ];
    for (i, other) in others.iter().enumerate() {
        assert!(*other != one && !others[..i].contains(other), "{i}: {other}");
    }
}

#[test]
fn an_image_says_what_it_is() {
    let origin = Origin {
        workspace: "00112233aabbccdd",
        license: "MIT OR Apache-2.0",
        profile: "release",
        sources: "0123456789abcdef",
        cached: true,
        proxies: &["HTTPS_PROXY".into()],
        id_file: None,
    };
    let args =
        build(&weather(), &origin, &[("PACKAGE", "weather")], Path::new("/clone/target/drydock/context-1"));
    let golden = "build
--force-rm
--tag drydock/weather:1.2.3_b4
--tag drydock/weather/00112233aabbccdd:1.2.3_b4
--build-arg HTTPS_PROXY
--build-arg PACKAGE=weather
--label dev.drydock.server=weather
--label dev.drydock.workspace=00112233aabbccdd
--label dev.drydock.profile=release
--label dev.drydock.sources=0123456789abcdef
--label io.modelcontextprotocol.server.name=io.github.ana/weather
--label org.opencontainers.image.description=-v /:/host
--label org.opencontainers.image.licenses=MIT OR Apache-2.0
--label org.opencontainers.image.source=https://example.com/weather
--label org.opencontainers.image.title=Weather --privileged
--label org.opencontainers.image.version=1.2.3+b4
/clone/target/drydock/context-1";
    assert_eq!(shown(&args), golden);
    let origin = Origin { id_file: Some(Path::new("/context/id")), ..origin };
    let nameless = shown(&build(&weather(), &origin, &[], Path::new("/context")));
    assert!(nameless.contains("--iidfile /context/id") && !nameless.contains("--tag"), "{nameless}");
}

#[test]
fn a_trial_is_a_session_of_a_build_and_of_no_server() {
    let server = weather();
    let trial = Trial {
        server: &server,
        image: "sha256:ab",
        workspace: "0123456789abcdef",
        build: "weather.1",
        env: &env(&[("A", "b")]),
        limit: std::time::Duration::ZERO,
        is_cancelled: &|| false,
    };
    let run = run_trial(&trial, "drydock-trial");
    let sandbox = flags::of(&server.sandbox);
    assert!(run.windows(sandbox.len()).any(|it| it == sandbox), "the same sandbox as the container's");
    assert_eq!(run[run.len() - 2..], ["sha256:ab", "stdio"]);
    let text = run.join(" ");
    assert!(text.contains("--label dev.drydock.build=weather.1 --label dev.drydock.server= "), "{text}");
    assert!(text.contains("--env A=b") && text.contains("--name drydock-trial "), "{text}");
}

#[test]
fn sessions_enter_by_the_one_contract() {
    assert_eq!(exec_stdio("mcp-weather"), ["exec", "-i", "mcp-weather", "/mcp", "stdio"]);
    assert_eq!(exec_health("mcp-weather"), ["exec", "mcp-weather", "/mcp", "health", "--json"]);
    let run = run_stdio(&weather(), "0123456789abcdef", &[]);
    assert_eq!(run[..6], ["run", "-i", "--rm", "--pull", "never", "--no-healthcheck"]);
    assert_eq!(run[run.len() - 2..], ["drydock/weather/0123456789abcdef:1.2.3_b4", "stdio"]);
    let sandbox = flags::of(&weather().sandbox);
    assert!(run.windows(sandbox.len()).any(|it| it == sandbox), "the same sandbox as the container's");
}

/// It is no setting: a clone that is moved has the same containers.
#[test]
fn where_the_state_is_stands_in_a_label_before_the_image() {
    let create = || create(&weather(), "mcp-weather", "0123456789abcdef", &[]);
    let labelled = create().from_image("sha256:1").with_state("here:/clone/.drydock");
    let (image, words) = labelled.args.split_last().unwrap();
    assert_eq!((image.as_str(), &labelled.settings), ("sha256:1", &create().settings));
    assert!(
        words.ends_with(&["--label".to_owned(), "dev.drydock.state=here:/clone/.drydock".to_owned()]),
        "{words:?}"
    );
}

//! Servers from PyPI and a Python program of one's own: their images, their sessions, and the base with uv.

use drydock_tests::session::LEGACY;
use drydock_tests::wrapped::{self, Kind};
use drydock_tests::{engine_or_skip, full_or_skip, skip};
use serde_json::json;

use crate::images::{files, inspect};
use crate::node::{a_package_runs_twice, build_plain, check_fraction, log, row, size};

const EXAMPLE: &str = "python-example";
const IMAGES: [&str; 2] = ["drydock/time:2026.10.19", "drydock/python-example:0.1.0"];

#[test]
fn python_servers_are_servers_like_any_other() {
    let engine = engine_or_skip!();
    let env = match wrapped::env_with_servers(&engine, Kind::Python, "pypi") {
        Ok(env) => env,
        Err(why) => skip!("{why}"),
    };
    env.ok(&["up", "time", EXAMPLE]);
    let checked = env.ok(&["check", "time", EXAMPLE, "--json"]).json();
    assert_eq!(checked[0]["tool_names"], json!(["get_current_time", "convert_time"]), "{checked}");
    assert_eq!(checked[1]["tool_names"], json!(["text_statistics", "take_note"]), "{checked}");
    assert_eq!(
        (&row(&env, "time")["kind"], &row(&env, "time")["health"]),
        (&json!("python"), &json!("ready"))
    );

    let noon = ["source_timezone=Europe/Berlin", "target_timezone=Asia/Tokyo", "time=12:00"];
    let converted = env.ok(&[&["call", "time", "convert_time"], &noon[..]].concat());
    assert!(converted.stdout.contains("Asia/Tokyo"), "{converted}");
    let counted = env.ok(&["call", EXAMPLE, "text_statistics", "text=Ahoi ahoi"]);
    assert!(counted.stdout.contains("\"words\": 2"), "{counted}");
    log(&env, EXAMPLE, &["python-example is ready", "tools/call text_statistics"]);

    let container = env.container(EXAMPLE);
    let mut sessions = [wrapped::session(&engine, &container), wrapped::session(&engine, &container)];
    for session in &mut sessions {
        session.open(LEGACY[1]);
        let answer = session.call("take_note", json!({"note": "mine"}));
        assert_eq!(answer.structured["result"], json!(["mine"]), "{answer:?}");
    }
}

#[test]
fn an_image_holds_compiled_python_and_no_installer() {
    let engine = engine_or_skip!();
    let _world = match wrapped::env_with_servers(&engine, Kind::Python, "slim-python") {
        Ok(env) => env,
        Err(why) => skip!("{why}"),
    };
    for image in IMAGES {
        let files = files(&engine, image);
        for wanted in ["mcp", "etc/mcp/bridge.json", "app/lib/mcp/__init__.py"] {
            assert!(files.contains(wanted), "{image} lacks {wanted}");
        }
        let compiled = |it: &String| {
            let (folder, name) = it.rsplit_once('/').unwrap_or_default();
            let beginning = format!("{folder}/__pycache__/{}.cpython-", name.trim_end_matches(".py"));
            files.range(beginning.clone()..).next().is_some_and(|it| it.starts_with(&beginning))
        };
        let sources: Vec<_> =
            files.iter().filter(|it| it.starts_with("app/") && it.ends_with(".py")).collect();
        assert!(sources.len() > 100, "{image} has only {sources:?}");
        let plain: Vec<_> = sources.iter().filter(|it| !compiled(it)).collect();
        assert!(plain.is_empty(), "{image}: not compiled: {plain:?}");
        let name = |it: &str| it.rsplit('/').next().unwrap_or_default().to_owned();
        for file in &files {
            let tools = ["pip", "uv", "uvx", "sh", "bash", "dpkg", "apt-get", "cc", "gcc"];
            assert!(!tools.contains(&name(file).as_str()), "{image} holds {file}");
            let unused = file.contains("site-packages/pip/") || file.ends_with(".pyi");
            assert!(!unused, "{image} holds {file}");
        }
        assert_eq!(inspect(&engine, image)["Config"]["User"], "65532:65532");
    }
}

#[test]
fn python_images_are_a_fraction_of_the_plain_way() {
    let engine = engine_or_skip!();
    full_or_skip!();
    let _world = match wrapped::env_with_servers(&engine, Kind::Python, "sizes-python") {
        Ok(env) => env,
        Err(why) => skip!("{why}"),
    };
    for (image, package) in IMAGES.iter().zip(["mcp-server-time==2026.10.19", "mcp==2.3.0"]) {
        let plain = build_plain(&engine, &format!("FROM python:3.12-slim\nRUN pip install {package}\n"));
        check_fraction(image, size(&engine, image), plain);
    }
}

#[test]
fn the_base_runs_any_package_and_the_second_time_without_a_network() {
    let engine = engine_or_skip!();
    let env = match wrapped::test_env(&engine, Kind::Python, "base-python") {
        Ok(env) => env,
        Err(why) => skip!("{why}"),
    };
    env.ok(&["build-images", "python", "--profile", "quick"]);
    env.ok(&["up", "python"]);
    assert_eq!(row(&env, "python")["shell"], true);
    let command = ["uvx", "mcp-server-time==2026.10.19"];
    let tools = ["get_current_time", "convert_time"];
    a_package_runs_twice(&engine, &env, &env.container("python"), &command, &tools);
}

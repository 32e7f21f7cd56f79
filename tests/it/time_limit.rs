//! A test that hangs ends, with what it was doing.

use std::time::Duration;

use drydock_tests::process::{command, run};
use drydock_tests::time_limit;

/// Says to the one of the two that it is to hang.
const HANG: &str = "DRYDOCK_TEST_HANGS";

#[test]
fn a_test_that_hangs_is_ended_and_says_in_what() {
    if std::env::var_os(HANG).is_some() {
        run(command("true").arg("the-last-step"));
        std::thread::sleep(Duration::from_secs(600));
    }
    let own = std::env::current_exe().expect("the tests");
    let name = "time_limit::a_test_that_hangs_is_ended_and_says_in_what";
    let ended = run(command(own)
        .args(["--exact", name, "--test-threads", "2"])
        .env(HANG, "1")
        .env(time_limit::VARIABLE, "1"));
    assert_eq!(ended.code, Some(101), "{ended}");
    let why =
        format!("test {name} did not end within 0.0 minutes; its last step: \"true\" \"the-last-step\"");
    assert!(ended.stderr.contains(&why), "{ended}");
}

//! What a call may cost, in instructions: the same on a busy machine as on a quiet one.

use drydock_tests::callgrind::instructions_per_call;
use drydock_tests::test_env::build;
use drydock_tests::{full_or_skip, skip};
use serde_json::json;

/// A look-up reads what it finds, not the 590 KB of names. Beside a call that looks up nothing, since the profile decides
/// what that takes; the figures of what is shipped are those of `figures`.
#[test]
fn finding_a_place_costs_no_more_than_the_rest_of_the_call() {
    full_or_skip!(); // minutes of valgrind
    let weather = build(&["-p", "weather", "--bin", "weather", "--profile", "quick"], "weather");
    let count = |tool, arguments| instructions_per_call(&weather, tool, &arguments);
    let here = json!({"latitude": 46.95, "longitude": 7.45, "date": "2026-06-21"});
    let rest = match count("sun_times", here) {
        Ok(rest) => rest,
        Err(why) => skip!("{why}"),
    };
    for (name, times) in [("Bern", 2), ("Springfield, Illinois", 2), ("東京", 2), ("Berln", 200)] {
        let it = count("find_place", json!({"name": name})).unwrap();
        assert!(it < times * rest, "find_place {name}: {it} instructions, sun_times without a place: {rest}");
    }
}

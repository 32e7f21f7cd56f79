//! The example server in a container: built once per run, with the quick profile, and shared by the tests that only
//! look at it.
//!
//! Engine -> image, environment, container, session. Invariant: the image that a person built is back after the run.

use std::sync::OnceLock;

use crate::engine::Engine;
use crate::process::CommandOutput;
use crate::service;
use crate::session::Session;
use crate::test_env::TestEnv;

/// What `build-images` makes of it.
pub const IMAGE: &str = concat!("drydock/weather:", env!("CARGO_PKG_VERSION"));
/// The names of its tools, in its order.
pub const TOOLS: [&str; 4] = ["find_place", "get_current_weather", "get_forecast", "sun_times"];

/// A weather container whose forecasts come from the stand-in.
#[derive(Debug)]
pub struct Shared {
    /// Where it was started.
    pub env: TestEnv,
    /// Its name.
    pub container: String,
    /// The stand-in's container.
    pub service: String,
}

/// The container that all tests share; none may change it.
#[track_caller]
pub fn shared(engine: &Engine) -> &'static Shared {
    static SHARED: OnceLock<Shared> = OnceLock::new();
    SHARED.get_or_init(|| {
        let env = test_env(engine, "shared");
        let container = env.container("weather");
        env.ok(&["up", "weather", "--env", service::URL, "--env", service::ALLOWED]);
        let service = service::start_beside(engine, &container);
        Shared { env, container, service }
    })
}

/// An environment in which `up weather` finds the image.
#[track_caller]
pub fn test_env(engine: &Engine, name: &str) -> TestEnv {
    static BUILT: OnceLock<CommandOutput> = OnceLock::new();
    let built = BUILT
        .get_or_init(|| TestEnv::on(engine, "build").run(&["build-images", "weather", "--profile", "quick"]));
    assert_eq!(built.code, Some(0), "{built}");
    TestEnv::on(engine, name)
}

/// What a client starts.
pub fn session(engine: &Engine, container: &str) -> Session {
    Session::start(engine.command(&["exec", "-i", container, "/mcp", "stdio"]))
}

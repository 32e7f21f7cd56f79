//! A server whose one tool answers about as much as a real one does (1.2 KB): the instructions of its calls are counted.
//!
//! `cargo run -p drydock-kit --example forecast -- stdio`

use std::fmt;

use drydock_kit::prelude::*;
use serde::{Deserialize, Serialize};

/// Where, and for how long.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GetForecast {
    /// The name of a place.
    #[schemars(length(min = 1, max = 80))]
    place: String,
    /// How many days.
    #[schemars(range(min = 1, max = 16))]
    days: u8,
}

/// What the weather will be.
#[derive(Serialize, JsonSchema)]
struct Forecast {
    place: String,
    latitude: f64,
    longitude: f64,
    days: Vec<Day>,
    source: &'static str,
}

#[derive(Serialize, JsonSchema)]
struct Day {
    date: String,
    weather: &'static str,
    temperature_max: f64,
    temperature_min: f64,
    precipitation: Option<f64>,
}

impl fmt::Display for Forecast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {}, {}", self.place, self.latitude, self.longitude)?;
        for Day { date, weather, temperature_max, temperature_min, .. } in &self.days {
            writeln!(f, "{date}: {weather}, {temperature_min} to {temperature_max} °C")?;
        }
        f.write_str(self.source)
    }
}

struct Forecasts;

#[server(title = "Forecasts")]
impl Forecasts {
    /// The weather of the next days.
    #[tool(read_only, title = "Forecast")]
    async fn forecast(&self, Parameters(args): Parameters<GetForecast>) -> Json<Forecast> {
        let day = |day| Day {
            date: format!("2026-06-{day:02}"),
            weather: "slight rain showers",
            temperature_max: 21.5 + f64::from(day),
            temperature_min: 11.25 + f64::from(day),
            precipitation: (day % 2 == 0).then_some(0.3),
        };
        let days = (1..=args.days).map(day).collect();
        let source = "made up for a measurement";
        Json(Forecast { place: args.place, latitude: 46.948, longitude: 7.4474, days, source }).with_display()
    }
}

fn main() -> std::process::ExitCode {
    drydock_kit::main(|| Forecasts)
}

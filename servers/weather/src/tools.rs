//! The server: what a model can ask it for.
//!
//! A tool's arguments -> a result of `results.rs`, or a message that says what was wrong and what to do.
//! Invariant: `find_place` and `sun_times` never use the network.

use drydock_kit::prelude::*;
use jiff::civil::Date;
use jiff::{Timestamp, Zoned};
use serde::Deserialize;

use crate::location::{Location, time_zone};
use crate::open_meteo::{OpenMeteo, Units};
use crate::results::{CurrentWeather, Forecast, FoundPlaces, SunTimes};
use crate::{places, sun};

/// The server's state. A session may run several calls at once, so they share it.
///
/// A call that the client cancels is dropped by kit where it awaits, and with it the request that it has under way:
/// a tool needs no code for that.
pub(crate) struct Weather {
    open_meteo: OpenMeteo,
}

// What the tools take. One attribute makes the rule that clients see and each call is checked against: see kit's `Parameters`.

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct FindPlace {
    /// A name in any common spelling or script, with or without region or country: `Paris`, `springfield, illinois`, `東京`.
    #[schemars(length(min = 1, max = 80))]
    name: String,
    /// Only in this country: an ISO 3166-1 code or an English name.
    #[schemars(length(min = 2, max = 60))]
    country: Option<String>,
    /// How many places at most.
    #[schemars(range(min = 1, max = 20))]
    #[serde(default = "five")]
    limit: u8,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GetForecast {
    /// A name as `find_place` takes it. Give this, or latitude and longitude.
    #[schemars(length(min = 1, max = 80))]
    place: Option<String>,
    /// Degrees north.
    #[schemars(range(min = -90.0, max = 90.0))]
    latitude: Option<f64>,
    /// Degrees east.
    #[schemars(range(min = -180.0, max = 180.0))]
    longitude: Option<f64>,
    /// How many days, today included.
    #[schemars(range(min = 1, max = 16))]
    #[serde(default = "seven")]
    days: u8,
    /// Of temperature, wind and rain.
    #[serde(default)]
    units: Units,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GetCurrentWeather {
    /// A name as `find_place` takes it. Give this, or latitude and longitude.
    #[schemars(length(min = 1, max = 80))]
    place: Option<String>,
    /// Degrees north.
    #[schemars(range(min = -90.0, max = 90.0))]
    latitude: Option<f64>,
    /// Degrees east.
    #[schemars(range(min = -180.0, max = 180.0))]
    longitude: Option<f64>,
    /// Of temperature, wind and rain.
    #[serde(default)]
    units: Units,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GetSunTimes {
    /// A name as `find_place` takes it. Give this, or latitude and longitude.
    #[schemars(length(min = 1, max = 80))]
    place: Option<String>,
    /// Degrees north.
    #[schemars(range(min = -90.0, max = 90.0))]
    latitude: Option<f64>,
    /// Degrees east.
    #[schemars(range(min = -180.0, max = 180.0))]
    longitude: Option<f64>,
    /// `YYYY-MM-DD` from 1900 to 2100; today if left out.
    #[schemars(length(min = 10, max = 10))]
    date: Option<String>,
    /// IANA name of the time zone for the answer. Left out: the place's own, or UTC for coordinates.
    #[schemars(length(min = 1, max = 60))]
    time_zone: Option<String>,
}

fn five() -> u8 {
    5
}

fn seven() -> u8 {
    7
}

/// What the model is told of all tools together.
const INSTRUCTIONS: &str = "Places, weather and the sun. The tools take a city's name (of 50,000 people and more) or coordinates, \
     which work for any place on earth; where a name is ambiguous they say which place they took, so add a region or country: \
     `Springfield, Illinois`.";

impl Weather {
    pub(crate) fn new() -> Self {
        Self { open_meteo: OpenMeteo::from_env() }
    }
}

#[server(title = "Weather", instructions = INSTRUCTIONS)]
impl Weather {
    /// Find cities of 50,000 people and more by name: coordinates, region, country, time zone, population. Best
    /// match first. Works without network.
    #[tool(read_only, idempotent, title = "Find a place")]
    async fn find_place(&self, Parameters(args): Parameters<FindPlace>) -> Result<Json<FoundPlaces>, String> {
        let mut found = places::search(&args.name, args.country.as_deref());
        let total = found.len();
        found.truncate(usize::from(args.limit));
        let similar = if total == 0 { places::similar(&args.name, 3) } else { Vec::new() };
        let places = found.into_iter().map(|(_kind, row)| row.place()).collect();
        Ok(Json(FoundPlaces { query: args.name, total, places, similar }).with_display())
    }

    /// Get the daily weather forecast for any place on earth, for 1 to 16 days from today. Data: Open-Meteo.
    #[tool(read_only, idempotent, open_world, title = "Weather forecast")]
    async fn get_forecast(
        &self,
        Parameters(args): Parameters<GetForecast>,
    ) -> Result<Json<Forecast>, String> {
        let location = Location::find(args.place.as_deref(), args.latitude, args.longitude)?;
        let response =
            self.open_meteo.daily(location.latitude, location.longitude, args.days, args.units).await?;
        Ok(Json(Forecast::new(location, response)).with_display())
    }

    /// Get the weather now, for any place on earth. Data: Open-Meteo.
    #[tool(read_only, idempotent, open_world, title = "Current weather")]
    async fn get_current_weather(
        &self,
        Parameters(args): Parameters<GetCurrentWeather>,
    ) -> Result<Json<CurrentWeather>, String> {
        let location = Location::find(args.place.as_deref(), args.latitude, args.longitude)?;
        let response = self.open_meteo.current(location.latitude, location.longitude, args.units).await?;
        Ok(Json(CurrentWeather::new(location, response)).with_display())
    }

    /// Get sunrise, sunset, solar noon and civil twilight, for any place and date. Computed; works without network.
    #[tool(read_only, idempotent, title = "Sunrise and sunset")]
    async fn sun_times(&self, Parameters(args): Parameters<GetSunTimes>) -> Result<Json<SunTimes>, String> {
        let location = Location::find(args.place.as_deref(), args.latitude, args.longitude)?;
        let zone = time_zone(args.time_zone.as_deref().unwrap_or(location.time_zone))?;
        let date = match args.date.as_deref() {
            Some(date) => parse_date(date)?,
            None => Zoned::new(Timestamp::now(), zone.clone()).date(),
        };
        let day =
            sun::sun_day(date, &zone, location.latitude, location.longitude).map_err(|e| e.to_string())?;
        Ok(Json(SunTimes::new(location, date, &zone, day)).with_display())
    }
}

fn parse_date(text: &str) -> Result<Date, String> {
    let date = text.parse::<Date>().map_err(|e| format!("date: `{text}` is not a date: {e}"))?;
    if !(1900..=2100).contains(&date.year()) {
        return Err(format!("date: {date} is not from 1900 to 2100, for which the formula is good"));
    }
    Ok(date)
}

#[cfg(test)]
mod tests {
    use drydock_kit::testing::start;

    use super::*;

    #[test]
    fn tools_and_prompts_say_what_they_are() {
        start(Weather::new).check();
    }
}

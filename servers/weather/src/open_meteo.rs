//! Open-Meteo's forecast service (<https://open-meteo.com/en/docs>).
//!
//! Coordinates -> weather now, or day by day. Invariant: every value keeps the unit that the service sent with it.

use std::time::Duration;

use drydock_kit::http::{HttpClient, HttpError};
use drydock_kit::prelude::*;
use serde::{Deserialize, Serialize};

const PUBLIC: &str = "https://api.open-meteo.com";
/// Open-Meteo computes current values every 15 minutes (`interval: 900`) and sends no lifetime.
const LIFETIME: Duration = Duration::from_secs(900);

const CURRENT: &str = "temperature_2m,apparent_temperature,relative_humidity_2m,precipitation,weather_code,\
                       cloud_cover,wind_speed_10m,wind_direction_10m,wind_gusts_10m,is_day";
const DAILY: &str = "weather_code,temperature_2m_max,temperature_2m_min,precipitation_sum,\
                     precipitation_probability_max,wind_speed_10m_max,wind_gusts_10m_max";

/// The service, at a base URL of its own.
#[derive(Debug)]
pub(crate) struct OpenMeteo(HttpClient);

/// Units of the response.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Units {
    /// °C, km/h, mm
    #[default]
    Metric,
    /// °F, mph, inch
    Imperial,
}

/// `/v1/forecast?current=..`: the fields that we ask for.
#[derive(Debug, Deserialize)]
pub(crate) struct CurrentResponse {
    pub(crate) timezone: String,
    pub(crate) current: Current,
    pub(crate) current_units: CurrentUnits,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Current {
    pub(crate) time: String,
    pub(crate) temperature_2m: Option<f64>,
    pub(crate) apparent_temperature: Option<f64>,
    pub(crate) relative_humidity_2m: Option<f64>,
    pub(crate) precipitation: Option<f64>,
    pub(crate) weather_code: Option<u8>,
    pub(crate) cloud_cover: Option<f64>,
    pub(crate) wind_speed_10m: Option<f64>,
    pub(crate) wind_direction_10m: Option<f64>,
    pub(crate) wind_gusts_10m: Option<f64>,
    pub(crate) is_day: Option<u8>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct CurrentUnits {
    pub(crate) temperature_2m: String,
    pub(crate) precipitation: String,
    pub(crate) wind_speed_10m: String,
}

/// `/v1/forecast?daily=..`: one list per field, each with a value per day.
#[derive(Debug, Deserialize)]
pub(crate) struct DailyResponse {
    pub(crate) timezone: String,
    pub(crate) daily: Daily,
    pub(crate) daily_units: DailyUnits,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Daily {
    pub(crate) time: Vec<String>,
    pub(crate) weather_code: Vec<Option<u8>>,
    pub(crate) temperature_2m_max: Vec<Option<f64>>,
    pub(crate) temperature_2m_min: Vec<Option<f64>>,
    pub(crate) precipitation_sum: Vec<Option<f64>>,
    pub(crate) precipitation_probability_max: Vec<Option<f64>>,
    pub(crate) wind_speed_10m_max: Vec<Option<f64>>,
    pub(crate) wind_gusts_10m_max: Vec<Option<f64>>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct DailyUnits {
    pub(crate) temperature_2m_max: String,
    pub(crate) precipitation_sum: String,
    pub(crate) wind_speed_10m_max: String,
}

/// The units of a result's values.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(crate) struct UnitNames {
    pub(crate) temperature: String,
    pub(crate) precipitation: String,
    pub(crate) wind_speed: String,
}

impl OpenMeteo {
    /// The public service, unless `OPEN_METEO_URL` names another one.
    pub(crate) fn from_env() -> Self {
        let base = std::env::var("OPEN_METEO_URL").ok().filter(|url| !url.is_empty());
        Self::new(base.as_deref().unwrap_or(PUBLIC))
    }

    pub(crate) fn new(base: &str) -> Self {
        Self(HttpClient::of("Open-Meteo", base).cache_for(LIFETIME))
    }

    pub(crate) async fn current(
        &self,
        latitude: f64,
        longitude: f64,
        units: Units,
    ) -> Result<CurrentResponse, HttpError> {
        let path = path(latitude, longitude, units, &format!("current={CURRENT}"));
        self.0.get(path).json().await
    }

    pub(crate) async fn daily(
        &self,
        latitude: f64,
        longitude: f64,
        days: u8,
        units: Units,
    ) -> Result<DailyResponse, HttpError> {
        let path = path(latitude, longitude, units, &format!("daily={DAILY}&forecast_days={days}"));
        self.0.get(path).checked_json(|it: &DailyResponse| it.daily.check()).await
    }
}

impl Daily {
    /// The lists belong together: a value for each day in each of them.
    fn check(&self) -> Result<(), String> {
        let days = self.time.len();
        let lengths = [
            self.weather_code.len(),
            self.temperature_2m_max.len(),
            self.temperature_2m_min.len(),
            self.precipitation_sum.len(),
            self.precipitation_probability_max.len(),
            self.wind_speed_10m_max.len(),
            self.wind_gusts_10m_max.len(),
        ];
        match lengths.iter().find(|&&length| length != days) {
            Some(length) => Err(format!("a list of {length} values for {days} days")),
            None => Ok(()),
        }
    }
}

fn path(latitude: f64, longitude: f64, units: Units, what: &str) -> String {
    let units = match units {
        Units::Metric => "",
        Units::Imperial => "&temperature_unit=fahrenheit&wind_speed_unit=mph&precipitation_unit=inch",
    };
    format!("/v1/forecast?latitude={latitude:.4}&longitude={longitude:.4}&timezone=auto&{what}{units}")
}

/// What a WMO weather code (table 4677, as Open-Meteo uses it) means.
pub(crate) fn weather(code: u8) -> &'static str {
    match code {
        0 => "clear sky",
        1 => "mainly clear",
        2 => "partly cloudy",
        3 => "overcast",
        45 => "fog",
        48 => "depositing rime fog",
        51 => "light drizzle",
        53 => "moderate drizzle",
        55 => "dense drizzle",
        56 => "light freezing drizzle",
        57 => "dense freezing drizzle",
        61 => "slight rain",
        63 => "moderate rain",
        65 => "heavy rain",
        66 => "light freezing rain",
        67 => "heavy freezing rain",
        71 => "slight snowfall",
        73 => "moderate snowfall",
        75 => "heavy snowfall",
        77 => "snow grains",
        80 => "slight rain showers",
        81 => "moderate rain showers",
        82 => "violent rain showers",
        85 => "slight snow showers",
        86 => "heavy snow showers",
        95 => "thunderstorm",
        96 => "thunderstorm with slight hail",
        99 => "thunderstorm with heavy hail",
        _ => "unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_asks_for_what_the_answer_needs() {
        let path = path(52.52, -13.405, Units::Imperial, "daily=x");
        let (path, query) = path.split_once('?').unwrap();
        assert_eq!(path, "/v1/forecast");
        for part in [
            "latitude=52.5200",
            "longitude=-13.4050",
            "timezone=auto",
            "daily=x",
            "temperature_unit=fahrenheit",
        ] {
            assert!(query.split('&').any(|it| it == part), "{part} in {query}");
        }
    }

    #[test]
    fn lists_of_different_lengths_are_no_forecast() {
        let mut daily = Daily {
            time: vec!["2026-01-01".into(), "2026-01-02".into()],
            weather_code: vec![Some(3), None],
            temperature_2m_max: vec![Some(1.0), None],
            temperature_2m_min: vec![Some(-1.0), None],
            precipitation_sum: vec![None; 2],
            precipitation_probability_max: vec![None; 2],
            wind_speed_10m_max: vec![None; 2],
            wind_gusts_10m_max: vec![None; 2],
        };
        assert_eq!(daily.check(), Ok(()));
        daily.wind_gusts_10m_max.pop();
        assert_eq!(daily.check(), Err("a list of 1 values for 2 days".to_owned()));
    }

    #[test]
    fn each_code_that_open_meteo_documents_has_words() {
        for code in [
            0, 1, 2, 3, 45, 48, 51, 53, 55, 56, 57, 61, 63, 65, 66, 67, 71, 73, 75, 77, 80, 81, 82, 85, 86,
            95, 96, 99,
        ] {
            assert_ne!(weather(code), "unknown", "{code}");
        }
        assert_eq!(weather(4), "unknown");
    }
}

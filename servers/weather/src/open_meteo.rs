//! Open-Meteo's forecast service (<https://open-meteo.com/en/docs>).
//!
//! Coordinates -> weather now, or day by day. Invariant: every value keeps the unit that the service sent with it.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::fetch::{Service, excerpt};

const PUBLIC: &str = "https://api.open-meteo.com";
/// Open-Meteo computes current values every 15 minutes (`interval: 900`) and sends no lifetime.
const LIFETIME: Duration = Duration::from_secs(900);

const CURRENT: &str = "temperature_2m,apparent_temperature,relative_humidity_2m,precipitation,weather_code,\
                       cloud_cover,wind_speed_10m,wind_direction_10m,wind_gusts_10m,is_day";
const DAILY: &str = "weather_code,temperature_2m_max,temperature_2m_min,precipitation_sum,\
                     precipitation_probability_max,wind_speed_10m_max,wind_gusts_10m_max";

/// The service, at a base URL of its own.
#[derive(Debug)]
pub(crate) struct OpenMeteo {
    base: String,
    service: Service,
}

/// Units of the answer.
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
pub(crate) struct CurrentAnswer {
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
pub(crate) struct DailyAnswer {
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
        Self { base: base.trim_end_matches('/').to_owned(), service: Service::new("Open-Meteo", LIFETIME) }
    }

    pub(crate) async fn current(
        &self,
        latitude: f64,
        longitude: f64,
        units: Units,
    ) -> Result<CurrentAnswer, String> {
        let url = self.url(latitude, longitude, units, &format!("current={CURRENT}"));
        self.service.get(&url, parse).await
    }

    pub(crate) async fn daily(
        &self,
        latitude: f64,
        longitude: f64,
        days: u8,
        units: Units,
    ) -> Result<DailyAnswer, String> {
        let url = self.url(latitude, longitude, units, &format!("daily={DAILY}&forecast_days={days}"));
        self.service.get(&url, |body| parse::<DailyAnswer>(body).and_then(DailyAnswer::whole)).await
    }

    fn url(&self, latitude: f64, longitude: f64, units: Units, what: &str) -> String {
        let units = match units {
            Units::Metric => "",
            Units::Imperial => "&temperature_unit=fahrenheit&wind_speed_unit=mph&precipitation_unit=inch",
        };
        let base = &self.base;
        format!(
            "{base}/v1/forecast?latitude={latitude:.4}&longitude={longitude:.4}&timezone=auto&{what}{units}"
        )
    }
}

impl DailyAnswer {
    /// The lists belong together: a value for each day in each of them.
    fn whole(self) -> Result<Self, String> {
        let daily = &self.daily;
        let lengths = [
            daily.weather_code.len(),
            daily.temperature_2m_max.len(),
            daily.temperature_2m_min.len(),
            daily.precipitation_sum.len(),
            daily.precipitation_probability_max.len(),
            daily.wind_speed_10m_max.len(),
            daily.wind_gusts_10m_max.len(),
        ];
        match lengths.iter().find(|&&length| length != daily.time.len()) {
            Some(length) => Err(format!("a list of {length} values for {} days", daily.time.len())),
            None => Ok(self),
        }
    }
}

fn parse<T: for<'a> Deserialize<'a>>(body: &str) -> Result<T, String> {
    serde_json::from_str(body)
        .map_err(|e| format!("{e}; it begins with `{}`", excerpt(body.get(..80).unwrap_or(body))))
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

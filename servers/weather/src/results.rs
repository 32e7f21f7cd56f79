//! What the tools response: for programs the fields, for people the text of `Display`.
//!
//! A place and what was found out about it -> a result. Invariant: a value that a service did not send is `null`,
//! never a made-up number.

use std::fmt::{self, Display, Formatter};

use drydock_kit::prelude::*;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Unit};
use serde::Serialize;

use crate::location::Location;
use crate::open_meteo::{CurrentResponse, DailyResponse, UnitNames, weather};
use crate::places::{self, Place};
use crate::sun::{Light, SunDay};

const OPEN_METEO: &str = "Weather data by Open-Meteo.com (CC BY 4.0)";

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct FoundPlaces {
    pub(crate) query: String,
    /// How many places fit, those left out included.
    pub(crate) total: usize,
    /// Best match first.
    pub(crate) places: Vec<Place>,
    /// If nothing fits: places with a similar name.
    pub(crate) similar: Vec<Place>,
}

impl Display for FoundPlaces {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.places.is_empty() {
            let similar: Vec<String> = self.similar.iter().map(Place::to_string).collect();
            return f.write_str(&places::not_found(&self.query, &similar));
        }
        for place in &self.places {
            let Place { latitude, longitude, time_zone, population, .. } = place;
            writeln!(f, "{place}: {latitude}, {longitude}; {time_zone}; {population} people")?;
        }
        let left_out = self.total - self.places.len();
        if left_out > 0 {
            writeln!(f, "and {left_out} more; add a region or country, or raise `limit`")?;
        }
        f.write_str("Places by GeoNames.org (CC BY 4.0)")
    }
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct CurrentWeather {
    /// The place that was taken, or the coordinates.
    pub(crate) place: String,
    pub(crate) latitude: f64,
    pub(crate) longitude: f64,
    pub(crate) time_zone: String,
    /// Local time of the values.
    pub(crate) time: String,
    pub(crate) weather: Option<&'static str>,
    /// WMO code.
    pub(crate) weather_code: Option<u8>,
    pub(crate) is_day: Option<bool>,
    pub(crate) temperature: Option<f64>,
    pub(crate) feels_like: Option<f64>,
    /// Percent.
    pub(crate) humidity: Option<f64>,
    /// Of the last 15 minutes.
    pub(crate) precipitation: Option<f64>,
    /// Percent.
    pub(crate) cloud_cover: Option<f64>,
    pub(crate) wind_speed: Option<f64>,
    pub(crate) wind_gusts: Option<f64>,
    /// Where the wind comes from, in degrees.
    pub(crate) wind_direction: Option<f64>,
    pub(crate) units: UnitNames,
    pub(crate) source: &'static str,
}

impl CurrentWeather {
    pub(crate) fn new(location: Location, response: CurrentResponse) -> Self {
        let now = response.current;
        Self {
            place: location.label,
            latitude: location.latitude,
            longitude: location.longitude,
            time_zone: response.timezone,
            time: now.time,
            weather: now.weather_code.map(weather),
            weather_code: now.weather_code,
            is_day: now.is_day.map(|day| day != 0),
            temperature: now.temperature_2m,
            feels_like: now.apparent_temperature,
            humidity: now.relative_humidity_2m,
            precipitation: now.precipitation,
            cloud_cover: now.cloud_cover,
            wind_speed: now.wind_speed_10m,
            wind_gusts: now.wind_gusts_10m,
            wind_direction: now.wind_direction_10m,
            units: UnitNames {
                temperature: response.current_units.temperature_2m,
                precipitation: response.current_units.precipitation,
                wind_speed: response.current_units.wind_speed_10m,
            },
            source: OPEN_METEO,
        }
    }
}

impl Display for CurrentWeather {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let UnitNames { temperature, precipitation, wind_speed } = &self.units;
        writeln!(f, "{}, {} ({})", self.place, self.time, self.time_zone)?;
        write!(f, "{}, ", self.weather.unwrap_or("weather unknown"))?;
        writeln!(
            f,
            "{}, feels like {}",
            value(self.temperature, temperature),
            value(self.feels_like, temperature)
        )?;
        write!(f, "humidity {}, clouds {}, ", value(self.humidity, "%"), value(self.cloud_cover, "%"))?;
        writeln!(f, "precipitation {}", value(self.precipitation, precipitation))?;
        write!(f, "wind {} ", value(self.wind_speed, wind_speed))?;
        writeln!(
            f,
            "from {}, gusts {}",
            value(self.wind_direction, "°"),
            value(self.wind_gusts, wind_speed)
        )?;
        f.write_str(self.source)
    }
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Forecast {
    /// The place that was taken, or the coordinates.
    pub(crate) place: String,
    pub(crate) latitude: f64,
    pub(crate) longitude: f64,
    /// In which the days begin and end.
    pub(crate) time_zone: String,
    pub(crate) days: Vec<Day>,
    pub(crate) units: UnitNames,
    pub(crate) source: &'static str,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Day {
    pub(crate) date: String,
    /// The most severe weather of the day.
    pub(crate) weather: Option<&'static str>,
    /// WMO code.
    pub(crate) weather_code: Option<u8>,
    pub(crate) temperature_max: Option<f64>,
    pub(crate) temperature_min: Option<f64>,
    pub(crate) precipitation: Option<f64>,
    /// Percent.
    pub(crate) precipitation_probability: Option<f64>,
    pub(crate) wind_speed_max: Option<f64>,
    pub(crate) wind_gusts_max: Option<f64>,
}

impl Forecast {
    pub(crate) fn new(location: Location, response: DailyResponse) -> Self {
        let daily = response.daily;
        let day = |(i, date): (usize, String)| Day {
            date,
            weather: daily.weather_code[i].map(weather),
            weather_code: daily.weather_code[i],
            temperature_max: daily.temperature_2m_max[i],
            temperature_min: daily.temperature_2m_min[i],
            precipitation: daily.precipitation_sum[i],
            precipitation_probability: daily.precipitation_probability_max[i],
            wind_speed_max: daily.wind_speed_10m_max[i],
            wind_gusts_max: daily.wind_gusts_10m_max[i],
        };
        Self {
            place: location.label,
            latitude: location.latitude,
            longitude: location.longitude,
            time_zone: response.timezone,
            days: daily.time.into_iter().enumerate().map(day).collect(),
            units: UnitNames {
                temperature: response.daily_units.temperature_2m_max,
                precipitation: response.daily_units.precipitation_sum,
                wind_speed: response.daily_units.wind_speed_10m_max,
            },
            source: OPEN_METEO,
        }
    }
}

impl Display for Forecast {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let UnitNames { temperature, precipitation, wind_speed } = &self.units;
        writeln!(f, "{} ({})", self.place, self.time_zone)?;
        for day in &self.days {
            write!(f, "{}: {}, ", day.date, day.weather.unwrap_or("weather unknown"))?;
            write!(f, "{} to ", value(day.temperature_min, temperature))?;
            write!(f, "{}, ", value(day.temperature_max, temperature))?;
            write!(f, "precipitation {} ", value(day.precipitation, precipitation))?;
            write!(f, "({}), ", value(day.precipitation_probability, "%"))?;
            writeln!(f, "wind up to {}", value(day.wind_speed_max, wind_speed))?;
        }
        f.write_str(self.source)
    }
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct SunTimes {
    /// The place that was taken, or the coordinates.
    pub(crate) place: String,
    pub(crate) latitude: f64,
    pub(crate) longitude: f64,
    pub(crate) date: String,
    pub(crate) time_zone: String,
    pub(crate) sun: Sun,
    pub(crate) daylight_minutes: i64,
    pub(crate) solar_noon: String,
    /// RFC 3339, as all times here; `null` where the sun does not rise or set.
    pub(crate) sunrise: Option<String>,
    pub(crate) sunset: Option<String>,
    /// Begin of civil twilight: the sun 6° below the horizon.
    pub(crate) dawn: Option<String>,
    /// End of civil twilight.
    pub(crate) dusk: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Sun {
    RisesAndSets,
    /// Polar day, or midnight sun.
    UpAllDay,
    /// Polar night.
    DownAllDay,
}

impl SunTimes {
    pub(crate) fn new(location: Location, date: Date, zone: &TimeZone, day: SunDay) -> Self {
        let (sun, daylight_minutes, edges) = match day.day {
            Light::Between(rise, set) => {
                (Sun::RisesAndSets, (set.as_second() - rise.as_second() + 30) / 60, Some((rise, set)))
            }
            Light::Always => (Sun::UpAllDay, 24 * 60, None),
            Light::Never => (Sun::DownAllDay, 0, None),
        };
        let twilight = match day.twilight {
            Light::Between(dawn, dusk) => Some((dawn, dusk)),
            Light::Always | Light::Never => None,
        };
        Self {
            place: location.label,
            latitude: location.latitude,
            longitude: location.longitude,
            date: date.to_string(),
            time_zone: zone.iana_name().unwrap_or("UTC").to_owned(),
            sun,
            daylight_minutes,
            solar_noon: local(day.noon, zone),
            sunrise: edges.map(|(rise, _)| local(rise, zone)),
            sunset: edges.map(|(_, set)| local(set, zone)),
            dawn: twilight.map(|(dawn, _)| local(dawn, zone)),
            dusk: twilight.map(|(_, dusk)| local(dusk, zone)),
        }
    }

    /// The time alone, with its date where that is another day.
    fn clock<'a>(&self, time: &'a str) -> &'a str {
        match time.strip_prefix(&self.date) {
            Some(clock) => clock.get(1..6).unwrap_or(clock),
            None => time.get(..16).unwrap_or(time),
        }
    }
}

impl Display for SunTimes {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}, {} ({})", self.place, self.date, self.time_zone)?;
        match (self.sun, &self.sunrise, &self.sunset) {
            (Sun::UpAllDay, ..) => writeln!(f, "the sun does not set (polar day)")?,
            (_, Some(rise), Some(set)) => {
                write!(f, "sunrise {}, sunset {}, ", self.clock(rise), self.clock(set))?;
                writeln!(f, "daylight {} h {} min", self.daylight_minutes / 60, self.daylight_minutes % 60)?;
            }
            _ => writeln!(f, "the sun does not rise (polar night)")?,
        }
        write!(f, "solar noon {}", self.clock(&self.solar_noon))?;
        if let (Some(dawn), Some(dusk)) = (&self.dawn, &self.dusk) {
            write!(f, ", civil twilight from {} to {}", self.clock(dawn), self.clock(dusk))?;
        }
        Ok(())
    }
}

fn local(time: Timestamp, zone: &TimeZone) -> String {
    let rounded = time.round(Unit::Minute).unwrap_or(time);
    rounded.to_zoned(zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

/// `7.5 °C`, `80%`, or a dash.
fn value(value: Option<f64>, unit: &str) -> String {
    let space = if matches!(unit, "%" | "°") { "" } else { " " };
    value.map_or_else(|| "–".to_owned(), |value| format!("{value}{space}{unit}"))
}

//! Open-Meteo's `/v1/forecast`: its variables, units, limits and JSON, with the same weather everywhere and always.
//!
//! Query -> JSON, or the service's reason. Invariant: a variable, unit or range that the real service refuses is
//! refused here too, so that a misspelt one cannot pass a test.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value, json};

type Query = BTreeMap<String, String>;

enum Kind {
    Temperature,
    Speed,
    Rain,
    Plain(&'static str),
    Time(&'static str),
}
use Kind::{Plain, Rain, Speed, Temperature, Time};

/// Variable, unit, value in the service's default units.
const CURRENT: &[(&str, Kind, f64)] = &[
    ("temperature_2m", Temperature, 5.3),
    ("relative_humidity_2m", Plain("%"), 81.0),
    ("apparent_temperature", Temperature, 2.1),
    ("is_day", Plain(""), 1.0),
    ("precipitation", Rain, 0.4),
    ("rain", Rain, 0.4),
    ("showers", Rain, 0.0),
    ("snowfall", Plain("cm"), 0.0),
    ("weather_code", Plain("wmo code"), 61.0),
    ("cloud_cover", Plain("%"), 97.0),
    ("pressure_msl", Plain("hPa"), 1009.8),
    ("surface_pressure", Plain("hPa"), 1005.2),
    ("wind_speed_10m", Speed, 14.8),
    ("wind_direction_10m", Plain("°"), 245.0),
    ("wind_gusts_10m", Speed, 31.3),
    ("visibility", Plain("m"), 9800.0),
    ("uv_index", Plain(""), 0.4),
];

const DAILY: &[(&str, Kind, f64)] = &[
    ("weather_code", Plain("wmo code"), 61.0),
    ("temperature_2m_max", Temperature, 7.9),
    ("temperature_2m_min", Temperature, 1.2),
    ("apparent_temperature_max", Temperature, 4.4),
    ("apparent_temperature_min", Temperature, -2.6),
    ("sunrise", Time("07:38"), 0.0),
    ("sunset", Time("16:04"), 0.0),
    ("daylight_duration", Plain("s"), 30360.5),
    ("sunshine_duration", Plain("s"), 4200.0),
    ("uv_index_max", Plain(""), 0.85),
    ("rain_sum", Rain, 3.1),
    ("showers_sum", Rain, 0.0),
    ("snowfall_sum", Plain("cm"), 0.0),
    ("precipitation_sum", Rain, 3.1),
    ("precipitation_hours", Plain("h"), 6.0),
    ("precipitation_probability_max", Plain("%"), 88.0),
    ("wind_speed_10m_max", Speed, 22.4),
    ("wind_gusts_10m_max", Speed, 47.2),
    ("wind_direction_10m_dominant", Plain("°"), 231.0),
];

pub(crate) fn error(reason: &str) -> String {
    json!({"error": true, "reason": reason}).to_string()
}

pub(crate) fn forecast(query: &Query) -> Result<String, String> {
    let number = |name: &str, limit: f64| -> Result<f64, String> {
        let text = query.get(name).ok_or(format!("Parameter '{name}' is required"))?;
        let value: f64 =
            text.parse().map_err(|_| format!("Value of type 'Float' required for key '{name}'."))?;
        let title = format!("{}{}", name[..1].to_uppercase(), &name[1..]);
        if value.abs() > limit {
            return Err(format!("{title} must be in range of -{limit} to {limit}°. Given: {value:?}."));
        }
        Ok(value)
    };
    let (latitude, longitude) =
        if query.is_empty() { (0.0, 0.0) } else { (number("latitude", 90.0)?, number("longitude", 180.0)?) };
    let zone = query.get("timezone").map_or("GMT", |it| if it == "auto" { "Europe/Berlin" } else { it });
    let berlin = zone == "Europe/Berlin";
    let offset = if berlin { 3600 } else { 0 };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |it| it.as_secs() as i64) + offset;
    let mut body = json!({
        // The service answers for the middle of its grid cell.
        "latitude": (latitude * 16.0).round() / 16.0,
        "longitude": (longitude * 16.0).round() / 16.0,
        "generationtime_ms": 0.0821,
        "utc_offset_seconds": offset,
        "timezone": zone,
        "timezone_abbreviation": if berlin { "GMT+1" } else { "GMT" },
        "elevation": 38.0,
    });
    if let Some(names) = query.get("current") {
        let (mut units, mut values) = columns(query, names, CURRENT, 1, now)?;
        units.insert("interval".into(), json!("seconds"));
        values = values.into_iter().map(|(key, list)| (key, list[0].clone())).collect();
        values.insert(
            "time".into(),
            json!(format!("{}T{:02}:{:02}", date(now), now / 3600 % 24, now / 900 % 4 * 15)),
        );
        values.insert("interval".into(), json!(900));
        body["current_units"] = units.into();
        body["current"] = values.into();
    }
    if let Some(names) = query.get("daily") {
        if !query.contains_key("timezone") {
            return Err("Timezone is required".to_owned());
        }
        let days = query.get("forecast_days").map_or("7", String::as_str);
        let days: i64 =
            days.parse().map_err(|_| "Value of type 'Int' required for key 'forecast_days'.".to_owned())?;
        if !(0..=16).contains(&days) {
            return Err(format!("Forecast days is invalid. Allowed range 0 to 16. Given {days}."));
        }
        let (units, values) = columns(query, names, DAILY, days, now)?;
        body["daily_units"] = units.into();
        body["daily"] = values.into();
    }
    Ok(body.to_string())
}

type Columns = (Map<String, Value>, Map<String, Value>);

fn columns(
    query: &Query,
    names: &str,
    known: &[(&str, Kind, f64)],
    days: i64,
    now: i64,
) -> Result<Columns, String> {
    let day = |at: i64| date(now + at * 86_400);
    let mut units = Map::from_iter([("time".to_owned(), json!("iso8601"))]);
    let mut values = Map::from_iter([("time".to_owned(), (0..days).map(day).collect())]);
    for name in names.split(',') {
        let (_, kind, value) = known.iter().find(|it| it.0 == name).ok_or_else(|| {
            format!("Data corrupted at path ''. Cannot initialize ForecastVariable from invalid String value {name}.")
        })?;
        let (unit, value) = converted(query, kind, *value)?;
        let cell = |at| match kind {
            Time(clock) => json!(format!("{}T{clock}", day(at))),
            _ if value.fract() == 0.0 => json!(value as i64),
            _ => json!(value),
        };
        units.insert(name.to_owned(), json!(unit));
        values.insert(name.to_owned(), (0..days).map(cell).collect());
    }
    Ok((units, values))
}

fn converted(query: &Query, kind: &Kind, value: f64) -> Result<(&'static str, f64), String> {
    let asked = |name: &str| query.get(name).map(String::as_str);
    let round = |it: f64, digits: f64| (it * digits).round() / digits;
    Ok(match kind {
        Plain(unit) => (unit, value),
        Time(_) => ("iso8601", value),
        Temperature => match asked("temperature_unit") {
            None | Some("celsius") => ("°C", value),
            Some("fahrenheit") => ("°F", round(value * 1.8 + 32.0, 10.0)),
            Some(other) => return Err(invalid("TemperatureUnit", other)),
        },
        Speed => match asked("wind_speed_unit") {
            None | Some("kmh") => ("km/h", value),
            Some("mph") => ("mp/h", round(value * 0.621_371, 10.0)),
            Some("ms") => ("m/s", round(value / 3.6, 100.0)),
            Some("kn") => ("kn", round(value * 0.539_957, 10.0)),
            Some(other) => return Err(invalid("WindspeedUnit", other)),
        },
        Rain => match asked("precipitation_unit") {
            None | Some("mm") => ("mm", value),
            Some("inch") => ("inch", round(value / 25.4, 1000.0)),
            Some(other) => return Err(invalid("PrecipitationUnit", other)),
        },
    })
}

fn invalid(kind: &str, value: &str) -> String {
    format!("Data corrupted at path ''. Cannot initialize {kind} from invalid String value {value}.")
}

/// The date of a moment, after Howard Hinnant's `civil_from_days`.
fn date(seconds: i64) -> String {
    let days = seconds.div_euclid(86_400) + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

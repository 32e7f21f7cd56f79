//! When the sun rises and sets, computed.
//!
//! Date and coordinates -> instants. After NOAA's solar calculator (<https://gml.noaa.gov/grad/solcalc/calcdetails.html>),
//! which follows Jean Meeus, "Astronomical Algorithms", chapter 25. Good to a minute between 72° south and 72° north,
//! to about ten beyond. Invariant: rise < noon < set, and rise and set are there together or not at all.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// The sun's upper edge on the horizon, with 34' of refraction: 90° 50' from the zenith.
const HORIZON: f64 = 90.833;
/// Civil twilight: the sun 6° below the horizon.
const TWILIGHT: f64 = 96.0;

/// The sun's day at one place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct SunDay {
    pub(crate) noon: Timestamp,
    pub(crate) day: Light,
    pub(crate) twilight: Light,
}

/// When the sun is above a height.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Light {
    Between(Timestamp, Timestamp),
    Always,
    Never,
}

/// The sun's day whose noon falls on this date in this time zone.
pub(crate) fn sun_day(
    date: Date,
    zone: &TimeZone,
    latitude: f64,
    longitude: f64,
) -> Result<SunDay, jiff::Error> {
    // A time zone can be a day off the sun's own (Kiritimati: UTC+14 at 157° west).
    let midnight = midnight(date)?;
    let off = instant(noon(midnight, longitude))?.to_zoned(zone.clone()).date().since(date)?.get_days();
    let noon = noon(midnight - f64::from(off), longitude);
    Ok(SunDay {
        noon: instant(noon)?,
        day: light(noon, latitude, HORIZON)?,
        twilight: light(noon, latitude, TWILIGHT)?,
    })
}

/// Days are Julian days of UTC, with their fraction, from here on.
fn midnight(date: Date) -> Result<f64, jiff::Error> {
    let second = date.to_zoned(TimeZone::UTC)?.timestamp().as_second();
    Ok(second as f64 / 86_400.0 + 2_440_587.5)
}

fn instant(day: f64) -> Result<Timestamp, jiff::Error> {
    let seconds = ((day - 2_440_587.5) * 86_400.0).round();
    Timestamp::UNIX_EPOCH.checked_add(SignedDuration::try_from_secs_f64(seconds)?)
}

/// When the sun is highest at this longitude, on the sun's own day that belongs to a midnight UTC.
fn noon(midnight: f64, longitude: f64) -> f64 {
    let midday = midnight + 0.5 - longitude / 360.0;
    midday - Sun::at(midday).equation_of_time / 1_440.0
}

fn light(noon: f64, latitude: f64, zenith: f64) -> Result<Light, jiff::Error> {
    let half = match Sun::at(noon).half_day(latitude, zenith) {
        Ok(half) => half,
        Err(light) => return Ok(light),
    };
    // The declination moves during the day: once more, with the sun as it stands at the event itself.
    let event = |side: f64| {
        let sun = Sun::at(noon + side * half);
        let half = sun.half_day(latitude, zenith).unwrap_or(half);
        let drift = (sun.equation_of_time - Sun::at(noon).equation_of_time) / 1_440.0;
        instant(noon + side * half - drift)
    };
    Ok(Light::Between(event(-1.0)?, event(1.0)?))
}

/// Where the sun stands, seen from the earth's centre.
struct Sun {
    /// Radians north of the equator.
    declination: f64,
    /// Minutes by which a sundial is ahead of a clock.
    equation_of_time: f64,
}

impl Sun {
    fn at(day: f64) -> Self {
        let t = (day - 2_451_545.0) / 36_525.0; // Julian centuries since 2000
        let mean_longitude = (280.46646 + t * (36000.76983 + t * 0.0003032)).to_radians();
        let anomaly = (357.52911 + t * (35999.05029 - t * 0.0001537)).to_radians();
        let eccentricity = 0.016708634 - t * (0.000042037 + t * 0.0000001267);
        let centre = anomaly.sin() * (1.914602 - t * (0.004817 + t * 0.000014))
            + (2.0 * anomaly).sin() * (0.019993 - t * 0.000101)
            + (3.0 * anomaly).sin() * 0.000289;
        let node = (125.04 - 1934.136 * t).to_radians();
        let longitude = mean_longitude + (centre - 0.00569 - 0.00478 * node.sin()).to_radians();
        let obliquity = 23.0 + (26.0 + (21.448 - t * (46.815 + t * (0.00059 - t * 0.001813))) / 60.0) / 60.0;
        let obliquity = (obliquity + 0.00256 * node.cos()).to_radians();
        let y = (obliquity / 2.0).tan().powi(2);
        let equation = y * (2.0 * mean_longitude).sin() - 2.0 * eccentricity * anomaly.sin()
            + 4.0 * eccentricity * y * anomaly.sin() * (2.0 * mean_longitude).cos()
            - 0.5 * y * y * (4.0 * mean_longitude).sin()
            - 1.25 * eccentricity * eccentricity * (2.0 * anomaly).sin();
        Self {
            declination: (obliquity.sin() * longitude.sin()).asin(),
            equation_of_time: 4.0 * equation.to_degrees(),
        }
    }

    /// The part of a day from noon until the sun is this far from the zenith; `Err` where it never is.
    fn half_day(&self, latitude: f64, zenith: f64) -> Result<f64, Light> {
        let latitude = latitude.to_radians();
        let cosine = zenith.to_radians().cos() / (latitude.cos() * self.declination.cos())
            - latitude.tan() * self.declination.tan();
        match cosine {
            c if c < -1.0 => Err(Light::Always),
            c if c > 1.0 => Err(Light::Never),
            c => Ok(c.acos() / std::f64::consts::TAU),
        }
    }
}

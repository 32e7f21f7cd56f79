//! When the sun rises and sets, computed.
//!
//! Date and coordinates -> instants. After NOAA's solar calculator (<https://gml.noaa.gov/grad/solcalc/calcdetails.html>),
//! which follows Jean Meeus, "Astronomical Algorithms", chapter 25. Good to a minute between 72° south and 72° north,
//! to about ten beyond. Invariant: rise < noon < set, and rise and set are there together or not at all.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use libm::{acos, asin, cos, sin, tan};

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
        let centre = sin(anomaly) * (1.914602 - t * (0.004817 + t * 0.000014))
            + sin(2.0 * anomaly) * (0.019993 - t * 0.000101)
            + sin(3.0 * anomaly) * 0.000289;
        let node = (125.04 - 1934.136 * t).to_radians();
        let longitude = mean_longitude + (centre - 0.00569 - 0.00478 * sin(node)).to_radians();
        let obliquity = 23.0 + (26.0 + (21.448 - t * (46.815 + t * (0.00059 - t * 0.001813))) / 60.0) / 60.0;
        let obliquity = (obliquity + 0.00256 * cos(node)).to_radians();
        let y = tan(obliquity / 2.0).powi(2);
        let equation = y * sin(2.0 * mean_longitude) - 2.0 * eccentricity * sin(anomaly)
            + 4.0 * eccentricity * y * sin(anomaly) * cos(2.0 * mean_longitude)
            - 0.5 * y * y * sin(4.0 * mean_longitude)
            - 1.25 * eccentricity * eccentricity * sin(2.0 * anomaly);
        Self {
            declination: asin(sin(obliquity) * sin(longitude)),
            equation_of_time: 4.0 * equation.to_degrees(),
        }
    }

    /// The part of a day from noon until the sun is this far from the zenith; `Err` where it never is.
    fn half_day(&self, latitude: f64, zenith: f64) -> Result<f64, Light> {
        let latitude = latitude.to_radians();
        let cosine = cos(zenith.to_radians()) / (cos(latitude) * cos(self.declination))
            - tan(latitude) * tan(self.declination);
        match cosine {
            c if c < -1.0 => Err(Light::Always),
            c if c > 1.0 => Err(Light::Never),
            c => Ok(acos(c) / std::f64::consts::TAU),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Meeus, examples 25.a and 28.a: 13 October 1992, 0 h.
    #[test]
    fn the_sun_stands_where_meeus_has_it() {
        let sun = Sun::at(2_448_908.5);
        assert!((sun.declination.to_degrees() - -7.78507).abs() < 0.001, "{}", sun.declination.to_degrees());
        assert!((sun.equation_of_time - 13.71).abs() < 0.02, "{}", sun.equation_of_time);
    }

    /// Computed with PyEphem 4.2 (VSOP87), horizon at -50', noon as transit.
    #[test]
    fn rise_noon_and_set_agree_with_an_independent_ephemeris() {
        for (latitude, longitude, zone, date, rise, noon, set) in [
            (
                51.51,
                -0.13,
                "Europe/London",
                "1900-01-15",
                "1900-01-15T08:00Z",
                "1900-01-15T12:10Z",
                "1900-01-15T16:20Z",
            ),
            (
                51.51,
                -0.13,
                "Europe/London",
                "2024-06-20",
                "2024-06-20T03:43Z",
                "2024-06-20T12:02Z",
                "2024-06-20T20:21Z",
            ),
            (
                51.51,
                -0.13,
                "Europe/London",
                "2024-12-21",
                "2024-12-21T08:04Z",
                "2024-12-21T11:59Z",
                "2024-12-21T15:54Z",
            ),
            (
                40.71,
                -74.01,
                "America/New_York",
                "2024-03-10",
                "2024-03-10T11:15Z",
                "2024-03-10T17:06Z",
                "2024-03-10T22:58Z",
            ),
            (
                40.71,
                -74.01,
                "America/New_York",
                "2024-11-03",
                "2024-11-03T11:29Z",
                "2024-11-03T16:40Z",
                "2024-11-03T21:49Z",
            ),
            (
                -33.87,
                151.21,
                "Australia/Sydney",
                "2024-12-21",
                "2024-12-20T18:41Z",
                "2024-12-21T01:53Z",
                "2024-12-21T09:06Z",
            ),
            (
                -33.87,
                151.21,
                "Australia/Sydney",
                "2024-06-21",
                "2024-06-20T21:00Z",
                "2024-06-21T01:57Z",
                "2024-06-21T06:54Z",
            ),
            (
                -0.18,
                -78.47,
                "America/Guayaquil",
                "2024-03-20",
                "2024-03-20T11:18Z",
                "2024-03-20T17:21Z",
                "2024-03-20T23:24Z",
            ),
            (
                64.15,
                -21.94,
                "Atlantic/Reykjavik",
                "2024-06-21",
                "2024-06-21T02:55Z",
                "2024-06-21T13:30Z",
                "2024-06-22T00:04Z",
            ),
            (
                64.15,
                -21.94,
                "Atlantic/Reykjavik",
                "2024-12-21",
                "2024-12-21T11:23Z",
                "2024-12-21T13:26Z",
                "2024-12-21T15:30Z",
            ),
            (
                69.65,
                18.96,
                "Europe/Oslo",
                "2024-03-01",
                "2024-03-01T06:08Z",
                "2024-03-01T10:56Z",
                "2024-03-01T15:46Z",
            ),
            (
                -54.8,
                -68.3,
                "America/Argentina/Ushuaia",
                "2100-12-21",
                "2100-12-21T07:51Z",
                "2100-12-21T16:31Z",
                "2100-12-22T01:11Z",
            ),
            (
                35.69,
                139.69,
                "Asia/Tokyo",
                "2050-02-10",
                "2050-02-09T21:34Z",
                "2050-02-10T02:55Z",
                "2050-02-10T08:18Z",
            ),
            // Both keep a date that is not the sun's: UTC+14 at 157° west, UTC+12 at 178° east.
            (
                1.87,
                -157.43,
                "Pacific/Kiritimati",
                "2024-08-02",
                "2024-08-01T16:30Z",
                "2024-08-01T22:36Z",
                "2024-08-02T04:42Z",
            ),
            (
                -17.7,
                178.0,
                "Pacific/Fiji",
                "2024-08-01",
                "2024-07-31T18:34Z",
                "2024-08-01T00:14Z",
                "2024-08-01T05:54Z",
            ),
        ] {
            let day = at(latitude, longitude, zone, date);
            let Light::Between(own_rise, own_set) = day.day else { panic!("{zone} {date}: {:?}", day.day) };
            for (own, theirs) in [(own_rise, rise), (day.noon, noon), (own_set, set)] {
                let theirs: Timestamp = theirs.replace('Z', ":00Z").parse().unwrap();
                let apart = (own.as_second() - theirs.as_second()).abs();
                assert!(apart <= 75, "{zone} {date}: {own} is {apart} s from {theirs}");
            }
        }
    }

    #[test]
    fn polar_day_and_night_have_no_rise_and_no_set() {
        for (latitude, longitude, date, day, twilight) in [
            (69.65, 18.96, "2024-06-21", Some(Light::Always), Some(Light::Always)),
            (69.65, 18.96, "2024-12-21", Some(Light::Never), None),
            (78.22, 15.64, "2024-12-21", Some(Light::Never), Some(Light::Never)),
            (64.15, -21.94, "2024-06-21", None, Some(Light::Always)),
            (90.0, 0.0, "2024-06-21", Some(Light::Always), Some(Light::Always)),
            (90.0, 0.0, "2024-12-21", Some(Light::Never), Some(Light::Never)),
            (-90.0, 0.0, "2024-06-21", Some(Light::Never), Some(Light::Never)),
            (-90.0, 0.0, "2024-12-21", Some(Light::Always), Some(Light::Always)),
        ] {
            let sun = at(latitude, longitude, "UTC", date);
            for (own, expected) in [(sun.day, day), (sun.twilight, twilight)] {
                let own = if matches!(own, Light::Between(..)) { None } else { Some(own) };
                assert_eq!(own, expected, "{latitude} {date}");
            }
        }
    }

    #[test]
    fn rise_noon_and_set_come_in_order_everywhere() {
        for latitude in (-90..=90).step_by(5) {
            for longitude in (-180..=180).step_by(20) {
                for month in 1..=12 {
                    let date = jiff::civil::date(2025, month, 21);
                    let sun =
                        sun_day(date, &TimeZone::UTC, f64::from(latitude), f64::from(longitude)).unwrap();
                    assert_eq!(sun.noon.to_zoned(TimeZone::UTC).date(), date);
                    for light in [sun.day, sun.twilight] {
                        if let Light::Between(rise, set) = light {
                            assert!(rise < sun.noon && sun.noon < set, "{latitude} {longitude} {date}");
                        }
                    }
                }
            }
        }
    }

    fn at(latitude: f64, longitude: f64, zone: &str, date: &str) -> SunDay {
        sun_day(date.parse().unwrap(), &TimeZone::get(zone).unwrap(), latitude, longitude).unwrap()
    }
}

//! The location a tool call is about: a place found by name, or coordinates.
//!
//! Arguments -> `Location`, or a message that says what to give instead. Invariant: a location always has coordinates
//! and a time zone.

use jiff::tz::TimeZone;

use crate::places::{self, Place};

/// What a tool call is about.
pub(crate) struct Location {
    /// `Springfield, Illinois, United States`, or the coordinates.
    pub(crate) label: String,
    pub(crate) latitude: f64,
    pub(crate) longitude: f64,
    pub(crate) time_zone: &'static str,
}

impl Location {
    pub(crate) fn find(
        place: Option<&str>,
        latitude: Option<f64>,
        longitude: Option<f64>,
    ) -> Result<Self, String> {
        match (place, latitude, longitude) {
            (Some(name), None, None) => places::best(name).map(Self::from),
            (None, Some(latitude), Some(longitude)) => {
                let label = format!("{latitude}, {longitude}");
                Ok(Self { label, latitude, longitude, time_zone: "UTC" })
            }
            _ => Err("give either `place`, or both `latitude` and `longitude`".into()),
        }
    }
}

impl From<Place> for Location {
    fn from(place: Place) -> Self {
        let label = place.to_string();
        Self { label, latitude: place.latitude, longitude: place.longitude, time_zone: place.time_zone }
    }
}

/// The zone of that IANA name, from the list that lies in the binary.
pub(crate) fn time_zone(name: &str) -> Result<TimeZone, String> {
    TimeZone::get(name)
        .map_err(|_| format!("time_zone: no time zone `{name}`; give an IANA name such as `Europe/Paris`"))
}

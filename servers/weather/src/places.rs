//! The places that the server knows by name: 12,325 cities of 50,000 people and more, from GeoNames.
//!
//! A name as people write it -> places, best first. Invariant: the list is searched where it lies in the binary;
//! nothing is parsed at the start and nothing is kept. `data/README.md` describes its format.

use std::cmp::Reverse;
use std::fmt;

use drydock_kit::prelude::*;
use serde::Serialize;

use crate::normalize::normalized;
use crate::place_list::{self, Name, Row};
use crate::spelling;

/// A populated place.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Place {
    /// The name in GeoNames: English where there is an English one, else the local one.
    pub(crate) name: &'static str,
    /// State, province or the like; empty where the country has none.
    pub(crate) region: &'static str,
    pub(crate) country: &'static str,
    /// ISO 3166-1 alpha-2.
    pub(crate) country_code: &'static str,
    /// Degrees north, to 0.01.
    pub(crate) latitude: f64,
    /// Degrees east, to 0.01.
    pub(crate) longitude: f64,
    /// IANA name.
    pub(crate) time_zone: &'static str,
    pub(crate) population: u32,
}

impl fmt::Display for Place {
    /// `Springfield, Illinois, United States`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)?;
        if !self.region.is_empty() && self.region != self.name {
            write!(f, ", {}", self.region)?;
        }
        if self.country != self.name { write!(f, ", {}", self.country) } else { Ok(()) }
    }
}

/// How well a name matches a query; the better, the smaller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum MatchKind {
    /// The place's main name.
    Name,
    /// One of its other names: `Wien`, `東京`.
    OtherName,
    /// Whole words of a name: `Frankfurt`, `Angeles`.
    Words,
    /// The beginning of a word: `Frankf`.
    Beginning,
}

/// Places whose name matches, best first: by the kind of match, then by population.
pub(crate) fn search(query: &str, country: Option<&str>) -> Vec<(MatchKind, Row)> {
    let country = country.map(normalized);
    let mut found = search_name(query, country.as_deref());
    // `Springfield Illinois`: people leave the comma out
    for (space, _) in query.match_indices(' ').collect::<Vec<_>>().into_iter().rev() {
        if !found.is_empty() || query.contains(',') {
            break;
        }
        found = search_name(&format!("{},{}", &query[..space], &query[space..]), country.as_deref());
    }
    found
}

/// The one place that is meant, or a message that lists what could be.
pub(crate) fn best(query: &str) -> Result<Place, String> {
    match search(query, None).first() {
        Some(&(kind, row)) if kind < MatchKind::Beginning => Ok(row.place()),
        found => {
            let begun = found.map(|(_, row)| row.place().to_string());
            let near: Vec<String> =
                begun.into_iter().chain(similar(query, 3).iter().map(Place::to_string)).collect();
            Err(not_found(query, &near))
        }
    }
}

/// What to tell somebody who asked for a name that is not in the list.
pub(crate) fn not_found(query: &str, near: &[String]) -> String {
    let hint = if near.is_empty() { String::new() } else { format!(" Did you mean {}?", near.join("; ")) };
    format!(
        "no place named `{query}` in the list of places of 50,000 people and more.{hint} \
         For any other place give latitude and longitude."
    )
}

/// Places whose name is spelled nearly so: at most two letters differ, one in a short name.
pub(crate) fn similar(query: &str, limit: usize) -> Vec<Place> {
    let mut name = query.split(',').next().unwrap_or_default();
    loop {
        let near = similar_to(name, limit);
        match name.rsplit_once(' ') {
            Some((shorter, _)) if near.is_empty() => name = shorter,
            _ => return near,
        }
    }
}

fn similar_to(name: &str, limit: usize) -> Vec<Place> {
    let name = normalized(name);
    let letters = name.chars().count();
    let most = if letters < 5 { 1 } else { 2 };
    let near = spelling::nearly(&name, most)
        // What is much longer as it stands is near only by marks that normalizing drops.
        .filter(|(_, other)| other.text().chars().count() <= letters + 2 * most)
        .map(|(distance, other)| (distance, other.row()));
    best_first(near.collect()).into_iter().take(limit).map(|(_, row)| row.place()).collect()
}

/// How many of the places lie in each country: name, ISO code, number.
pub(crate) fn countries() -> Vec<(&'static str, &'static str, usize)> {
    let mut countries: Vec<(&str, &str, usize)> = place_list::countries()
        .map(|(country, places)| {
            let mut names = country.split('|');
            (names.next().unwrap_or_default(), names.next().unwrap_or_default(), places)
        })
        .collect();
    countries.sort();
    countries
}

/// `Springfield, IL` is a name and what must hold of its region or country.
fn search_name(query: &str, country: Option<&str>) -> Vec<(MatchKind, Row)> {
    let mut parts = query.split(',').map(normalized);
    let name = parts.next().unwrap_or_default();
    let within: Vec<String> = parts.filter(|part| !part.is_empty()).collect();
    if name.is_empty() {
        return Vec::new();
    }
    let there = |row: &Row| {
        within.iter().all(|part| row.is_within(part)) && country.is_none_or(|country| row.is_in(country))
    };
    let found = matching(place_list::names_from(&name), &name, MatchKind::OtherName, there);
    if !found.is_empty() {
        return found;
    }
    matching(place_list::words_from(&name), &name, MatchKind::Words, there)
}

/// The places with a name that begins with the query, best first. Only a main name matches better than `at_best`.
fn matching(
    names: impl Iterator<Item = Name>,
    query: &str,
    at_best: MatchKind,
    there: impl Fn(&Row) -> bool,
) -> Vec<(MatchKind, Row)> {
    let found = names.map_while(|name| {
        let (kind, row) = (match_start(name.letters(), query)?, name.row());
        Some((if name == row.main_name() { kind } else { kind.max(at_best) }, row))
    });
    best_first(found.filter(|(_, row)| there(row)).collect())
}

/// Each place once, with its best match; of the same match, by population.
fn best_first<Match: Ord + Copy>(mut found: Vec<(Match, Row)>) -> Vec<(Match, Row)> {
    found.sort_unstable_by_key(|&(kind, row)| (row, kind));
    found.dedup_by_key(|(_, row)| *row);
    found.sort_by_cached_key(|&(kind, row)| (kind, Reverse(row.population())));
    found
}

/// How a name of these letters matches a query with which it begins.
fn match_start(mut letters: impl Iterator<Item = char>, query: &str) -> Option<MatchKind> {
    if !query.chars().all(|c| letters.next() == Some(c)) {
        return None;
    }
    Some(match letters.next() {
        None => MatchKind::Name,
        Some(' ') => MatchKind::Words,
        Some(_) => MatchKind::Beginning,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_whole() {
        let mut rows: Vec<Row> = place_list::names().map(|(name, _)| name.row()).collect();
        rows.sort();
        rows.dedup();
        assert_eq!(rows.len(), 12_325);
        for place in rows.into_iter().map(Row::place) {
            assert!(place.population >= 50_000, "{place:?}");
            assert!(place.latitude.abs() <= 90.0 && place.longitude.abs() <= 180.0, "{place:?}");
            assert!(!place.name.is_empty() && place.country_code.len() == 2, "{place:?}");
            assert!(jiff::tz::TimeZone::get(place.time_zone).is_ok(), "{place:?}");
        }
    }

    #[test]
    fn a_place_carries_what_geonames_says() {
        let berlin = best("Berlin").unwrap();
        assert_eq!((berlin.latitude, berlin.longitude), (52.52, 13.41));
        assert_eq!((berlin.country_code, berlin.time_zone), ("DE", "Europe/Berlin"));
        assert_eq!(best("Quito").unwrap().latitude, -0.23);
    }

    #[test]
    fn names_are_found_in_other_spellings_and_scripts() {
        for (query, name, country) in [
            ("TOKYO", "Tokyo", "JP"),
            ("東京", "Tokyo", "JP"),
            ("Москва", "Moscow", "RU"),
            ("москва", "Moscow", "RU"),
            ("القاهرة", "Cairo", "EG"),
            ("München", "Munich", "DE"),
            ("munchen", "Munich", "DE"),
            ("Muenchen", "Munich", "DE"),
            ("Cologne", "Köln", "DE"),
            ("koln", "Köln", "DE"),
            ("Wien", "Vienna", "AT"),
            ("Firenze", "Florence", "IT"),
            ("Genève", "Geneva", "CH"),
            ("Αθηνα", "Athens", "GR"),
            ("서울", "Seoul", "KR"),
            ("北京", "Beijing", "CN"),
            ("กรุงเทพ", "Bangkok", "TH"),
            ("sao paulo", "São Paulo", "BR"),
            ("saint denis, france", "Saint-Denis", "FR"),
            ("Saigon", "Ho Chi Minh City", "VN"),
            ("St. Petersburg, Russia", "Saint Petersburg", "RU"),
        ] {
            let place = best(query).unwrap_or_else(|e| panic!("{query}: {e}"));
            assert_eq!((place.name, place.country_code), (name, country), "{query}");
        }
    }

    #[test]
    fn better_names_come_first_and_then_larger_places() {
        let found = search("Valencia", None);
        assert_eq!(found[0].1.place().country_code, "VE");
        assert_eq!(found[1].1.place().country_code, "ES");
        let found = search("San", None);
        assert!(found.len() > 100);
        assert!(found.is_sorted_by_key(|(kind, row)| (*kind, Reverse(row.population()))));
        let mut rows: Vec<Row> = found.iter().map(|(_, row)| *row).collect();
        rows.sort();
        rows.dedup();
        assert_eq!(rows.len(), found.len(), "a place with several such names is found once");
        // `Colonia` is Cologne in Spanish, but first of all what is called so
        assert!(
            search("London", None)
                .iter()
                .all(|(kind, row)| *kind > MatchKind::Name || row.place().name == "London")
        );
        assert_eq!(search("Frankf", None)[0].0, MatchKind::Beginning);
        assert_eq!(best("Frankfurt").unwrap().name, "Frankfurt am Main");
        assert_eq!(best("Angeles").unwrap().name, "Angeles City"); // in the Philippines
        assert_eq!(best("Janeiro").unwrap().name, "Rio de Janeiro");
    }

    #[test]
    fn a_region_or_country_narrows_the_name() {
        for (query, region) in [
            ("Springfield, IL", "Illinois"),
            ("Springfield, Massachusetts", "Massachusetts"),
            ("springfield missouri", "Missouri"),
            ("Springfield, OH, USA", "Ohio"),
            ("London, Canada", "Ontario"),
            ("London, ON", "Ontario"),
            ("London UK", "England"),
            ("Birmingham, Alabama", "Alabama"),
            ("Washington, D.C.", "District of Columbia"),
            ("Newcastle, NSW", "New South Wales"),
        ] {
            assert_eq!(best(query).unwrap_or_else(|e| panic!("{query}: {e}")).region, region, "{query}");
        }
        for country in ["CA", "can", "Canada", "CANADA"] {
            let found = search("London", Some(country));
            assert_eq!((found.len(), found[0].1.place().country_code), (1, "CA"), "{country}");
        }
    }

    #[test]
    fn an_unknown_name_gets_suggestions() {
        let error = best("Berln").unwrap_err();
        assert!(error.contains("`Berln`") && error.contains("Berlin, Germany"), "{error}");
        let error = best("Frankf").unwrap_err();
        assert!(error.contains("Frankfurt am Main, Hesse, Germany"), "{error}");
        for query in ["Paris, Texas", "Paris Texas"] {
            let error = best(query).unwrap_err(); // 25,000 people
            assert!(error.contains("Paris, Île-de-France, France"), "{error}");
        }
        for nonsense in ["xqzwvk", ",", "  ", "-", "Berlin, Atlantis", "#", ">", "|", "Munich|München"] {
            assert!(best(nonsense).is_err(), "{nonsense}");
        }
    }
}

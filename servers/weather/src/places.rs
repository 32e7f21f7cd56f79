//! The places that the server knows by name: 12,325 cities of 50,000 people and more, from GeoNames.
//!
//! A name as people write it -> places, best first. Invariant: the list is searched where it lies in the binary;
//! nothing is parsed at the start and nothing is kept. `data/README.md` describes its format.

use std::cmp::Reverse;
use std::fmt;

use drydock_kit::prelude::*;
use serde::Serialize;

use crate::normalize::{is_separator, normalize, normalized};

const LIST: &str = include_str!("../data/places.txt");

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

/// One line of the list that is a place.
struct Row {
    group: Group,
    numbers: &'static str,
    names: &'static str,
}

/// The lines above a row: country and region, each with the names and codes that people use for it.
#[derive(Clone, Copy)]
struct Group {
    country: &'static str,
    region: &'static str,
}

/// Places whose name matches, best first: by the kind of match, then by population.
pub(crate) fn search(query: &str, country: Option<&str>) -> Vec<(MatchKind, Place)> {
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
        Some(&(kind, place)) if kind < MatchKind::Beginning => Ok(place),
        found => {
            let begun = found.map(|(_, place)| place.to_string());
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
    let name: Vec<char> = normalized(name).chars().collect();
    let most = if name.len() < 5 { 1 } else { 2 };
    let mut near: Vec<(usize, Place)> = rows()
        .filter_map(|row| {
            let distance = row.names.split('|').filter_map(|other| distance(&name, other, most)).min()?;
            Some((distance, row.place()))
        })
        .collect();
    near.sort_by_key(|(distance, place)| (*distance, Reverse(place.population)));
    near.into_iter().map(|(_, place)| place).take(limit).collect()
}

/// How many of the places lie in each country: name, ISO code, number.
pub(crate) fn countries() -> Vec<(&'static str, &'static str, usize)> {
    let mut countries: Vec<(&str, &str, usize)> = Vec::new();
    for row in rows() {
        let mut names = row.group.country.split('|');
        let (name, code) = (names.next().unwrap_or_default(), names.next().unwrap_or_default());
        match countries.last_mut() {
            Some(last) if last.1 == code => last.2 += 1,
            _ => countries.push((name, code, 1)),
        }
    }
    countries.sort();
    countries
}

/// `Springfield, IL` is a name and what must hold of its region or country.
fn search_name(query: &str, country: Option<&str>) -> Vec<(MatchKind, Place)> {
    let mut parts = query.split(',').map(normalized);
    let name = parts.next().unwrap_or_default();
    let within: Vec<String> = parts.filter(|part| !part.is_empty()).collect();
    if name.is_empty() || name.contains('|') {
        return Vec::new();
    }
    let there = |group: Group| {
        within.iter().all(|part| group.is_called(part))
            && country.is_none_or(|country| is_one_of(group.country, country))
    };
    let mut found = matching(there, |one| match_start(one, &name));
    if found.is_empty() {
        found = matching(there, |one| match_later_word(one, &name));
    }
    found
}

/// The places in some groups with a name that matches, best first.
fn matching(
    there: impl Fn(Group) -> bool,
    match_name: impl Fn(&str) -> Option<MatchKind>,
) -> Vec<(MatchKind, Place)> {
    let mut found: Vec<(MatchKind, Place)> = rows()
        .filter_map(|row| Some((row.best_match(&match_name)?, row)))
        .filter(|(_, row)| there(row.group))
        .map(|(kind, row)| (kind, row.place()))
        .collect();
    found.sort_by_key(|(kind, place)| (*kind, Reverse(place.population)));
    found
}

fn rows() -> impl Iterator<Item = Row> {
    let mut group = Group { country: "", region: "" };
    LIST.lines().filter_map(move |line| {
        match (line.strip_prefix('#'), line.strip_prefix('>')) {
            (Some(country), _) => group.country = country,
            (_, Some(region)) => group.region = region,
            _ => return line.split_at_checked(11).map(|(numbers, names)| Row { group, numbers, names }),
        }
        None
    })
}

impl Row {
    fn place(&self) -> Place {
        let mut country = self.group.country.split('|');
        let mut region = self.group.region.split('|');
        let number = |from, to| f64::from(base36(&self.numbers[from..to]));
        Place {
            name: self.names.split('|').next().unwrap_or_default(),
            country: country.next().unwrap_or_default(),
            country_code: country.next().unwrap_or_default(),
            time_zone: region.next().unwrap_or_default(),
            region: region.next().unwrap_or_default(),
            latitude: (number(0, 3) - 9_000.0) / 100.0,
            longitude: (number(3, 6) - 18_000.0) / 100.0,
            population: base36(&self.numbers[6..]),
        }
    }

    /// How well the best of the names matches. `match_name` gets what is left of the list of names, to save splitting it.
    fn best_match(&self, match_name: impl Fn(&str) -> Option<MatchKind>) -> Option<MatchKind> {
        let main = match_name(self.names);
        if main == Some(MatchKind::Name) {
            return main;
        }
        let bars = self.names.bytes().enumerate().filter(|&(_, byte)| byte == b'|');
        let others = bars.filter_map(|(at, _)| match_name(&self.names[at + 1..]));
        others.map(|kind| kind.max(MatchKind::OtherName)).chain(main).min()
    }
}

impl Group {
    fn is_called(&self, name: &str) -> bool {
        let region = self.region.split_once('|').map_or("", |(_time_zone, names)| names);
        is_one_of(self.country, name) || is_one_of(region, name)
    }
}

fn is_one_of(names: &str, name: &str) -> bool {
    names.split('|').any(|one| normalize(one).eq(name.chars()))
}

/// How the first of some names matches a normalized query with which it begins.
fn match_start(names: &str, query: &str) -> Option<MatchKind> {
    // Nearly every name ends here: a plain first letter is another one.
    let (first, wanted) = (names.bytes().next()?, query.bytes().next()?);
    if first.is_ascii_alphanumeric() && first.to_ascii_lowercase() != wanted {
        return None;
    }
    let mut letters = normalize(names);
    if !query.chars().all(|c| letters.next() == Some(c)) {
        return None;
    }
    Some(match letters.next() {
        None | Some('|') => MatchKind::Name,
        Some(' ') => MatchKind::Words,
        Some(_) => MatchKind::Beginning,
    })
}

/// How the first of some names matches that has the query further in: `Angeles`.
fn match_later_word(names: &str, query: &str) -> Option<MatchKind> {
    let name = names.split('|').next()?;
    let words = name.match_indices(is_separator).map(|(at, separator)| &name[at + separator.len()..]);
    words.filter_map(|rest| match_start(rest, query)).map(|kind| kind.max(MatchKind::Words)).min()
}

/// Letters to insert, delete or replace to get from one spelling to the other, if at most `most`.
fn distance(query: &[char], name: &str, most: usize) -> Option<usize> {
    if name.len() + most < query.len() || name.chars().count() > query.len() + 2 * most {
        return None;
    }
    let mut row: Vec<usize> = (0..=query.len()).collect();
    for (i, c) in normalize(name).enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, q) in query.iter().enumerate() {
            let replaced = diagonal + usize::from(*q != c);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row.last().copied().filter(|&distance| distance <= most)
}

fn base36(digits: &str) -> u32 {
    u32::from_str_radix(digits, 36).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_whole() {
        assert_eq!(rows().count(), 12_325);
        for row in rows() {
            let place = row.place();
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
        assert_eq!(found[0].1.country_code, "VE");
        assert_eq!(found[1].1.country_code, "ES");
        let found = search("San", None);
        assert!(found.len() > 100);
        assert!(found.is_sorted_by_key(|(kind, place)| (*kind, Reverse(place.population))));
        // `Colonia` is Cologne in Spanish, but first of all what is called so
        assert!(
            search("London", None)
                .iter()
                .all(|(kind, place)| *kind > MatchKind::Name || place.name == "London")
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
            assert_eq!((found.len(), found[0].1.country_code), (1, "CA"), "{country}");
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

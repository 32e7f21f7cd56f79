//! The list of places as it lies in the binary, and the index of its names that `build.rs` made.
//!
//! Normalized letters -> names that begin so -> the places that bear them. Invariant: the list is read where it lies;
//! nothing is parsed at the start, nothing is kept, and a look-up touches what it finds and no more.
//! `data/README.md` describes the format.

use crate::normalize::normalize;
use crate::places::Place;

const LIST: &str = include_str!("../data/places.txt");

/// Where something lies in the list, the lowest byte first.
type Offset = [u8; 3];

static COUNTRIES: &[Offset] = offsets(include_bytes!(concat!(env!("OUT_DIR"), "/countries")));
static REGIONS: &[Offset] = offsets(include_bytes!(concat!(env!("OUT_DIR"), "/regions")));
/// In the order of their normalized letters.
static NAMES: &[Offset] = offsets(include_bytes!(concat!(env!("OUT_DIR"), "/names")));
/// How many normalized letters each name shares with the one before.
static SHARED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/shared"));
/// The later words of names, up to the end of the name, in the same order.
static WORDS: &[Offset] = offsets(include_bytes!(concat!(env!("OUT_DIR"), "/words")));

/// A name in the list, or what is left of one from a later word on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Name(usize);

/// The line of a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Row(usize);

/// Names whose normalized letters are these or come after them, in order: those that begin so come first.
pub(crate) fn names_from(letters: &str) -> impl Iterator<Item = Name> {
    from(NAMES, letters)
}

/// The same of the later words of names: `Angeles`.
pub(crate) fn words_from(letters: &str) -> impl Iterator<Item = Name> {
    from(WORDS, letters)
}

/// All names in order, each with how many normalized letters it shares with the one before.
pub(crate) fn names() -> impl Iterator<Item = (Name, usize)> {
    NAMES.iter().map(|&offset| Name(at(offset))).zip(SHARED.iter().map(|&shared| usize::from(shared)))
}

/// Each country, its names and codes as one, and how many places lie there.
pub(crate) fn countries() -> impl Iterator<Item = (&'static str, usize)> {
    let ends = COUNTRIES.iter().skip(1).map(|&next| at(next)).chain([LIST.len()]);
    COUNTRIES.iter().zip(ends).map(|(&start, end)| {
        let mut lines = LIST[at(start) + 1..end].lines();
        (lines.next().unwrap_or_default(), lines.filter(|line| !line.starts_with('>')).count())
    })
}

impl Name {
    /// As people write it.
    pub(crate) fn text(self) -> &'static str {
        LIST[self.0..].split(ends_name).next().unwrap_or_default()
    }

    /// Normalized, and read no further than they are asked for.
    pub(crate) fn letters(self) -> impl Iterator<Item = char> {
        normalize(LIST[self.0..].chars().take_while(|&c| !ends_name(c)))
    }

    pub(crate) fn row(self) -> Row {
        Row(LIST[..self.0].rfind('\n').map_or(0, |end| end + 1))
    }
}

impl Row {
    pub(crate) fn main_name(self) -> Name {
        Name(self.0 + 11)
    }

    pub(crate) fn population(self) -> u32 {
        self.number(6, 11)
    }

    pub(crate) fn place(self) -> Place {
        let mut country = heading(COUNTRIES, self).split('|');
        let mut region = heading(REGIONS, self).split('|');
        Place {
            name: self.main_name().text(),
            country: country.next().unwrap_or_default(),
            country_code: country.next().unwrap_or_default(),
            time_zone: region.next().unwrap_or_default(),
            region: region.next().unwrap_or_default(),
            latitude: (f64::from(self.number(0, 3)) - 9_000.0) / 100.0,
            longitude: (f64::from(self.number(3, 6)) - 18_000.0) / 100.0,
            population: self.population(),
        }
    }

    /// Whether that is a normalized name or code of its country.
    pub(crate) fn is_in(self, country: &str) -> bool {
        is_one_of(heading(COUNTRIES, self), country)
    }

    /// Whether that is one of its region, or of its country.
    pub(crate) fn is_within(self, name: &str) -> bool {
        let region = heading(REGIONS, self).split_once('|').map_or("", |(_time_zone, names)| names);
        self.is_in(name) || is_one_of(region, name)
    }

    fn number(self, from: usize, to: usize) -> u32 {
        u32::from_str_radix(&LIST[self.0 + from..self.0 + to], 36).unwrap_or_default()
    }
}

fn from(sorted: &'static [Offset], letters: &str) -> impl Iterator<Item = Name> {
    let first = sorted.partition_point(|&it| Name(at(it)).letters().lt(letters.chars()));
    sorted[first..].iter().map(|&it| Name(at(it)))
}

/// The last of these lines above a row, without the sign that it begins with.
fn heading(lines: &[Offset], row: Row) -> &'static str {
    let above = lines.partition_point(|&it| at(it) < row.0);
    let line = above.checked_sub(1).map_or("", |last| &LIST[at(lines[last]) + 1..]);
    line.split('\n').next().unwrap_or_default()
}

fn ends_name(c: char) -> bool {
    matches!(c, '|' | '\n')
}

fn is_one_of(names: &str, name: &str) -> bool {
    names.split('|').any(|one| normalize(one.chars()).eq(name.chars()))
}

fn at([low, middle, high]: Offset) -> usize {
    usize::from(low) | usize::from(middle) << 8 | usize::from(high) << 16
}

const fn offsets(bytes: &'static [u8]) -> &'static [Offset] {
    bytes.as_chunks().0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_index_has_every_name_in_order() {
        let mut indexed: Vec<usize> = NAMES.iter().map(|&it| at(it)).collect();
        indexed.sort();
        let mut start = 0;
        let mut names = Vec::new();
        for line in LIST.split_inclusive('\n') {
            if !line.starts_with(['#', '>']) {
                let bars = line.match_indices('|').map(|(bar, _)| start + bar + 1);
                names.extend([start + 11].into_iter().chain(bars));
            }
            start += line.len();
        }
        assert_eq!(indexed, names);
        for sorted in [NAMES, WORDS] {
            assert!(sorted.iter().is_sorted_by_key(|&it| Name(at(it)).letters().collect::<String>()));
        }
    }

    #[test]
    fn what_names_share_at_their_beginning_is_counted() {
        let mut before = Vec::new();
        for (name, shared) in names() {
            let letters: Vec<char> = name.letters().collect();
            let same = letters.iter().zip(&before).take_while(|(a, b)| a == b).count();
            assert_eq!(shared, same, "{}", name.text());
            before = letters;
        }
    }
}

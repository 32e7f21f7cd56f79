//! Makes the index that the server looks up names of places in, while the crate is compiled.
//!
//! `data/places.txt` -> files of offsets into it, which `src/place_list.rs` embeds. Invariant: names are sorted by the
//! same `normalize` that a query goes through.

use std::path::Path;
use std::{env, fs, io};

#[expect(dead_code, reason = "only the server normalizes queries")]
#[path = "src/normalize.rs"]
mod normalize;

const LIST: &str = "data/places.txt";
/// Coordinates and population, before the names of a place.
const NUMBERS: usize = 11;

/// Offsets of what the list holds.
#[derive(Default)]
struct Index {
    countries: Vec<usize>,
    regions: Vec<usize>,
    /// Each with its normalized letters.
    names: Vec<(Vec<char>, usize)>,
    /// Later words of names, with the letters from there to the end of the name.
    words: Vec<(Vec<char>, usize)>,
}

fn main() -> io::Result<()> {
    watch(&["build.rs", LIST, "src/normalize.rs"]);
    let list = fs::read_to_string(LIST)?;
    let mut index = Index::default();
    let mut at = 0;
    for line in list.split_inclusive('\n') {
        index.add_line(line, at);
        at += line.len();
    }
    index.names.sort();
    index.words.sort();
    write("countries", &bytes(index.countries))?;
    write("regions", &bytes(index.regions))?;
    write("shared", &shared(&index.names))?;
    write("names", &bytes(index.names.into_iter().map(|(_, at)| at)))?;
    write("words", &bytes(index.words.into_iter().map(|(_, at)| at)))
}

impl Index {
    fn add_line(&mut self, line: &str, mut at: usize) {
        match line.as_bytes().first() {
            Some(b'#') => return self.countries.push(at),
            Some(b'>') => return self.regions.push(at),
            _ => at += NUMBERS,
        }
        for name in line[NUMBERS..].trim_end_matches('\n').split('|') {
            self.names.push((letters(name), at));
            for (gap, separator) in name.match_indices(normalize::is_separator) {
                let word = gap + separator.len();
                self.words.push((letters(&name[word..]), at + word));
            }
            at += name.len() + 1;
        }
    }
}

fn letters(name: &str) -> Vec<char> {
    normalize::normalize(name.chars()).collect()
}

/// How many letters at its beginning each name shares with the one before.
fn shared(names: &[(Vec<char>, usize)]) -> Vec<u8> {
    let mut before: &[char] = &[];
    let mut all = Vec::new();
    for (letters, _) in names {
        let same = letters.iter().zip(before).take_while(|(a, b)| a == b).count();
        all.push(u8::try_from(same).unwrap_or(u8::MAX));
        before = letters;
    }
    all
}

/// Three bytes each, the lowest first.
fn bytes(offsets: impl IntoIterator<Item = usize>) -> Vec<u8> {
    offsets.into_iter().flat_map(|at| at.to_le_bytes().into_iter().take(3)).collect()
}

fn write(name: &str, bytes: &[u8]) -> io::Result<()> {
    let folder = env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?;
    fs::write(Path::new(&folder).join(name), bytes)
}

/// Only these: a change in the rest of the server leaves the index as it is.
fn watch(files: &[&str]) {
    for file in files {
        println!("cargo::rerun-if-changed={file}");
    }
}

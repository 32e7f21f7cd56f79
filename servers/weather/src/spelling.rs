//! Names that are spelled nearly as a query is.
//!
//! Normalized letters -> names, and how many letters differ. Invariant: names come in order, and what one shares at its
//! beginning with the name before is not compared again, nor any name that begins with too many differences.

use crate::place_list::{self, Name};

/// All names with at most so many letters to insert, delete or replace.
pub(crate) fn nearly(query: &str, most: usize) -> impl Iterator<Item = (usize, Name)> {
    let mut table = Table::new(query, most);
    let mut hopeless = usize::MAX; // with this many of its letters the name before differed too much
    place_list::names().filter_map(move |(name, shared)| {
        if shared >= hopeless {
            return None;
        }
        let mut length = 0;
        hopeless = usize::MAX;
        for letter in name.letters() {
            length += 1;
            if length > shared && !table.add(length, letter) {
                hopeless = length;
                return None;
            }
        }
        table.distance(length).map(|distance| (distance, name))
    })
}

/// Levenshtein's table: row `i`, column `j` holds the distance of `i` letters of the name from `j` of the query.
///
/// Away from the diagonal a distance is larger than `most`; what it is does not matter, and is not computed.
struct Table {
    query: Vec<char>,
    most: usize,
    cells: Vec<usize>,
}

impl Table {
    fn new(query: &str, most: usize) -> Self {
        let query: Vec<char> = query.chars().collect();
        let rows = query.len() + most + 2;
        let mut cells = vec![most + 1; rows * (query.len() + 1)];
        cells.iter_mut().zip(0..).take(query.len() + 1).for_each(|(cell, column)| *cell = column);
        Self { query, most, cells }
    }

    /// Fills the row of this letter of the name; whether a name that begins so can still be near.
    fn add(&mut self, row: usize, letter: char) -> bool {
        let width = self.query.len() + 1;
        let (above, cells) = self.cells[(row - 1) * width..(row + 1) * width].split_at_mut(width);
        let mut least = usize::MAX;
        for column in row.saturating_sub(self.most)..width.min(row + self.most + 1) {
            let cell = match column.checked_sub(1) {
                None => row,
                Some(left) => {
                    let replaced = above[left] + usize::from(self.query[left] != letter);
                    replaced.min(above[column] + 1).min(cells[left] + 1)
                }
            };
            cells[column] = cell;
            least = least.min(cell);
        }
        least <= self.most
    }

    /// Of a name of so many letters from the query.
    fn distance(&self, length: usize) -> Option<usize> {
        let width = self.query.len() + 1;
        self.cells.get(length * width + width - 1).copied().filter(|&distance| distance <= self.most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The whole table, for two names by themselves.
    fn distance(name: &[char], query: &[char]) -> usize {
        let mut above: Vec<usize> = (0..=query.len()).collect();
        for (row, letter) in name.iter().enumerate() {
            let mut cells = vec![row + 1];
            for (column, other) in query.iter().enumerate() {
                let replaced = above[column] + usize::from(letter != other);
                cells.push(replaced.min(above[column + 1] + 1).min(cells[column] + 1));
            }
            above = cells;
        }
        above[query.len()]
    }

    #[test]
    fn what_is_near_is_what_comparing_every_name_finds() {
        for (query, most) in
            [("berln", 2), ("san", 1), ("東京", 1), ("", 1), ("", 2), ("xqzwvk", 2), ("santiago de caly", 2)]
        {
            let letters: Vec<char> = query.chars().collect();
            let near = place_list::names().filter_map(|(name, _)| {
                let distance = distance(&name.letters().collect::<Vec<_>>(), &letters);
                (distance <= most).then_some((distance, name))
            });
            assert_eq!(nearly(query, most).collect::<Vec<_>>(), near.collect::<Vec<_>>(), "{query}");
        }
    }
}

//! Makes spellings comparable: `São Tomé`, `SAO TOME` and `sao-tome` are one.
//!
//! Text -> letters in lower case without accents, words separated by one space. Invariant: normalizing what is
//! normalized already changes nothing.

use std::iter;

/// The normalized letters, one after the other and without an allocation.
pub(crate) fn normalize(text: impl IntoIterator<Item = char>) -> impl Iterator<Item = char> {
    let mut text = text.into_iter();
    let mut second = None; // of a letter that becomes two
    let mut space = true; // so that a leading separator is dropped
    iter::from_fn(move || {
        loop {
            let c = match second.take() {
                Some(c) => c,
                None => {
                    let Some((first, more)) = normalize_char(lower_case(text.next()?)) else { continue };
                    second = more;
                    first
                }
            };
            let doubled = c == ' ' && space;
            space = c == ' ';
            if !doubled {
                return Some(c);
            }
        }
    })
}

/// A query's normalized form, to compare many names with.
pub(crate) fn normalized(text: &str) -> String {
    let mut normalized: String = normalize(text.chars()).collect();
    normalized.truncate(normalized.trim_end().len());
    normalized
}

/// Whether words are separated here, before normalizing.
pub(crate) fn is_separator(c: char) -> bool {
    c.is_whitespace() || matches!(c, '-' | '‐' | '‑' | '–' | '—' | '/' | ',')
}

/// Of what becomes more than one letter (only `İ`: i and a point above), the first.
fn lower_case(c: char) -> char {
    if c.is_ascii() { c.to_ascii_lowercase() } else { c.to_lowercase().next().unwrap_or(c) }
}

/// The one or two letters for one, or nothing.
fn normalize_char(c: char) -> Option<(char, Option<char>)> {
    match c {
        'a'..='z' | '0'..='9' => Some((c, None)),
        c if is_separator(c) => Some((' ', None)),
        c if is_dropped(c) => None,
        'ß' => Some(('s', Some('s'))),
        'æ' | 'ǣ' | 'ǽ' => Some(('a', Some('e'))),
        'œ' => Some(('o', Some('e'))),
        'þ' => Some(('t', Some('h'))),
        c if c.is_ascii() || c > '\u{1eff}' => Some((c, None)),
        c => Some((base_letter(c), None)),
    }
}

/// Marks that people leave out: apostrophes, points, combining accents, vowel signs of Arabic and Hebrew, joiners.
fn is_dropped(c: char) -> bool {
    matches!(c, '\'' | '’' | '‘' | '`' | '´' | 'ʻ' | 'ʼ' | 'ʾ' | 'ʿ' | '.' | '·')
        || matches!(c, '\u{300}'..='\u{36f}' | '\u{591}'..='\u{5c7}' | '\u{64b}'..='\u{65f}' | '\u{670}')
        || matches!(c, '\u{200b}'..='\u{200f}')
}

/// The letter under the accent, for the scripts in which people type without it; Latin ones here.
fn base_letter(c: char) -> char {
    match c {
        'à'..='å' | 'ā' | 'ă' | 'ą' | 'ǎ' | 'ǟ' | 'ǡ' | 'ǻ' | 'ȁ' | 'ȃ' | 'ȧ' | 'ḁ' | 'ạ'..='ặ' => {
            'a'
        }
        'ḃ' | 'ḅ' | 'ḇ' => 'b',
        'ç' | 'ć' | 'ĉ' | 'ċ' | 'č' | 'ḉ' => 'c',
        'ď' | 'đ' | 'ð' | 'ḋ' | 'ḍ' | 'ḏ' | 'ḑ' | 'ḓ' => 'd',
        'è'..='ë'
        | 'ē'
        | 'ĕ'
        | 'ė'
        | 'ę'
        | 'ě'
        | 'ȅ'
        | 'ȇ'
        | 'ȩ'
        | 'ə'
        | 'ǝ'
        | 'ɛ'
        | 'ḕ'..='ḝ'
        | 'ẹ'..='ệ' => 'e',
        'ĝ' | 'ğ' | 'ġ' | 'ģ' | 'ǧ' | 'ǵ' | 'ḡ' => 'g',
        'ĥ' | 'ħ' | 'ȟ' | 'ḣ'..='ḫ' | 'ẖ' => 'h',
        'ì'..='ï' | 'ĩ' | 'ī' | 'ĭ' | 'į' | 'ı' | 'ǐ' | 'ȉ' | 'ȋ' | 'ḭ' | 'ḯ' | 'ỉ' | 'ị' | 'ɩ' => {
            'i'
        }
        'ĵ' | 'ǰ' => 'j',
        'ķ' | 'ǩ' | 'ḱ' | 'ḳ' | 'ḵ' => 'k',
        'ĺ' | 'ļ' | 'ľ' | 'ŀ' | 'ł' | 'ḷ' | 'ḹ' | 'ḻ' | 'ḽ' => 'l',
        'ḿ' | 'ṁ' | 'ṃ' => 'm',
        'ñ' | 'ń' | 'ņ' | 'ň' | 'ŋ' | 'ǹ' | 'ṅ'..='ṋ' => 'n',
        'ò'..='ö' | 'ø' | 'ō' | 'ŏ' | 'ő' | 'ơ' | 'ǒ' | 'ǫ' | 'ǭ' | 'ǿ' | 'ȍ' | 'ȏ' => 'o',
        'ȫ' | 'ȭ' | 'ȯ' | 'ȱ' | 'ɔ' | 'ṍ'..='ṓ' | 'ọ'..='ợ' => 'o',
        'ŕ' | 'ŗ' | 'ř' | 'ȑ' | 'ȓ' | 'ṙ' | 'ṛ' | 'ṝ' | 'ṟ' => 'r',
        'ś' | 'ŝ' | 'ş' | 'š' | 'ș' | 'ṡ'..='ṩ' => 's',
        'ţ' | 'ť' | 'ŧ' | 'ț' | 'ṫ'..='ṱ' | 'ẗ' => 't',
        'ù'..='ü' | 'ũ' | 'ū' | 'ŭ' | 'ů' | 'ű' | 'ų' | 'ư' | 'ǔ' | 'ǖ' | 'ǘ' | 'ǚ' | 'ǜ' | 'ȕ' | 'ȗ' => {
            'u'
        }
        'ṳ'..='ṻ' | 'ụ'..='ự' => 'u',
        'ŵ' | 'ẁ' | 'ẃ' | 'ẅ' | 'ẇ' | 'ẉ' | 'ẘ' => 'w',
        'ẋ' | 'ẍ' => 'x',
        'ý' | 'ÿ' | 'ŷ' | 'ȳ' | 'ẏ' | 'ẙ' | 'ỳ' | 'ỵ' | 'ỷ' | 'ỹ' => 'y',
        'ź' | 'ż' | 'ž' | 'ẑ' | 'ẓ' | 'ẕ' => 'z',
        c => other_base_letter(c),
    }
}

/// The same for Greek, Cyrillic and Arabic letters.
fn other_base_letter(c: char) -> char {
    match c {
        'ά' => 'α',
        'έ' => 'ε',
        'ή' => 'η',
        'ί' | 'ϊ' | 'ΐ' => 'ι',
        'ό' => 'ο',
        'ύ' | 'ϋ' | 'ΰ' => 'υ',
        'ώ' => 'ω',
        'ς' => 'σ',
        'ё' => 'е',
        'й' => 'и', // a decomposed й loses its mark as well
        'ї' => 'і',
        'أ' | 'إ' | 'آ' => 'ا',
        'ى' | 'ی' => 'ي',
        'ک' => 'ك',
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::{is_dropped, lower_case, normalized};

    #[test]
    fn accents_case_and_separators_do_not_matter() {
        for (text, same) in [
            ("São Tomé", "sao tome"),
            ("SAO-TOME", "sao tome"),
            ("Straße", "strasse"),
            ("Æbeltoft", "aebeltoft"),
            ("Łódź", "lodz"),
            ("Mu\u{308}nchen", "munchen"),
            ("  Saint--Denis ", "saint denis"),
            ("St. John’s", "st johns"),
            ("İstanbul", "istanbul"),
            ("ISPARTA", "isparta"),
            ("ΑΘΉΝΑ", "αθηνα"),
            ("Королёв", "королев"),
            ("Нижнии\u{306}", "нижнии"),
            ("القَاهِرَة", "القاهرة"),
            ("東京", "東京"),
        ] {
            assert_eq!(normalized(text), same, "{text}");
            assert_eq!(normalized(same), same, "normalizing twice");
        }
    }

    #[test]
    fn lower_case_has_one_letter_that_counts() {
        for c in '\0'..=char::MAX {
            let mut rest = c.to_lowercase();
            assert_eq!(rest.next(), Some(lower_case(c)), "{c}");
            assert!(rest.all(is_dropped), "{c}");
        }
    }

    #[test]
    fn every_latin_letter_of_the_list_normalizes_to_ascii() {
        let list = include_str!("../data/places.txt");
        let accented =
            |c: char| ('\u{80}'..='\u{24f}').contains(&c) || ('\u{1e00}'..='\u{1eff}').contains(&c);
        for c in list.chars().filter(|&c| accented(c)) {
            let normalized = normalized(&c.to_string());
            assert!(normalized.is_ascii(), "{c} becomes {normalized}");
        }
    }
}

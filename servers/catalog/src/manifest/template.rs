//! The places in a value for what is known only later: `{name}`, and what publishers write for it besides.
//!
//! Text + known names -> pieces. Invariant: the pieces, one after the other, are the text.

/// A part of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// As it stands.
    Plain(&'a str),
    /// To be filled in: the whole place, and the name in it.
    Place { whole: &'a str, name: &'a str },
}

/// The pieces of a value: `{name}` where the name is known or looks like one, `{{name}}`, `${anything}`, `$NAME`. What else
/// is in braces, JSON say, is plain.
pub(super) fn pieces<'a>(text: &'a str, is_known: impl Fn(&str) -> bool) -> Vec<Piece<'a>> {
    let (mut all, mut plain, mut at) = (Vec::new(), 0, 0);
    while at < text.len() {
        let found = place(&text[at..], &is_known);
        let Some((len, name)) = found else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
            continue;
        };
        if plain < at {
            all.push(Piece::Plain(&text[plain..at]));
        }
        all.push(Piece::Place { whole: &text[at..at + len], name });
        at += len;
        plain = at;
    }
    if plain < text.len() {
        all.push(Piece::Plain(&text[plain..]));
    }
    all
}

/// The length of the place that begins the text, and its name.
fn place<'a>(text: &'a str, is_known: impl Fn(&str) -> bool) -> Option<(usize, &'a str)> {
    let inside = |open: &str, close: &str| -> Option<(usize, &'a str)> {
        let rest = text.strip_prefix(open)?;
        // Longer ones are no names; and so each position is looked at in constant time.
        let end = rest.bytes().take(MAX_NAME_BYTES).position(|b| matches!(b, b'{' | b'}'))?;
        rest[end..].starts_with(close).then(|| (open.len() + end + close.len(), &rest[..end]))
    };
    if let Some(rest) = text.strip_prefix('$') {
        if rest.starts_with('{') {
            return inside("${", "}");
        }
        let len =
            rest.bytes().take_while(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || *b == b'_').count();
        let is_name = len > 1 && !rest.starts_with(|c: char| c.is_ascii_digit());
        return is_name.then(|| (len + 1, &rest[..len]));
    }
    let known = |it: &(usize, &str)| is_known(it.1) || is_name(it.1);
    inside("{{", "}}").filter(known).or_else(|| inside("{", "}").filter(known))
}

const MAX_NAME_BYTES: usize = 200;

fn is_name(text: &str) -> bool {
    let known = text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b));
    known && text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_found_and_nothing_is_lost() {
        let names = |text: &'static str| {
            let all = pieces(text, |it| it == "my folder");
            let whole: String = all
                .iter()
                .map(|it| match it {
                    Piece::Plain(text) | Piece::Place { whole: text, .. } => *text,
                })
                .collect();
            assert_eq!(whole, text);
            all.into_iter()
                .filter_map(|it| match it {
                    Piece::Place { name, .. } => Some(name),
                    Piece::Plain(_) => None,
                })
                .collect::<Vec<_>>()
        };
        assert_eq!(names("http://{host}:{port}/"), ["host", "port"]);
        assert_eq!(
            names("{{VERSION}} ${HOME}/x ${input:key} $HOME_2 é{é}"),
            ["VERSION", "HOME", "input:key", "HOME_2"]
        );
        assert_eq!(names("{my folder}"), ["my folder"]);
        for plain in [
            "{}",
            "{\"a\":{\"b\":1}}",
            "a$b",
            "$1 $A",
            "{a b}",
            "{",
            "}{",
            "${",
            "$",
            "",
            "[\"aws\"]",
            "^{2}$",
        ] {
            assert!(names(plain).is_empty(), "{plain}");
        }
    }
}
